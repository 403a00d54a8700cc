import { AsyncLocalStorage } from "node:async_hooks";

/** What a Postgres driver throws, as far as PostgREST shows it. */
interface DatabaseError {
  code?: string;
  message: string;
  detail?: string;
  hint?: string;
}

const captured = new AsyncLocalStorage<unknown[]>();
let running = 0;
let print = console.error;

/**
 * Answers with `work`, keeping what it writes to `console.error` from the terminal: lite prints every refused
 * call. Only what `work` itself calls is caught, whatever else the process does meanwhile. An SQLSTATE lite does
 * not know (its `SUP`, 500) is answered as PostgREST would; a failure that is no answer of the database is printed.
 */
export async function answerAsPostgrest(work: () => Promise<Response>): Promise<Response> {
  const errors: unknown[] = [];
  if (running++ === 0) {
    print = console.error;
    console.error = (...values) => void (captured.getStore()?.push(...values) ?? print(...values));
  }
  const response = await captured.run(errors, work).finally(() => {
    if (--running === 0) console.error = print;
  });
  return response.status < 500 ? response : translate(response, errors.at(-1) as DatabaseError | undefined);
}

function translate(response: Response, error: DatabaseError | undefined): Response {
  if (/^(ECONN|CONN)/.test(error?.code ?? "")) {
    const message = "Database connection error. Retrying the connection.";
    return Response.json({ code: "PGRST001", details: null, hint: null, message }, { status: 503 });
  }
  if (error?.code === undefined || !/^[0-9A-Z]{5}$/.test(error.code)) {
    print("The local PostgREST or Auth failed:", error);
    return response;
  }
  const body = {
    code: error.code,
    details: error.detail ?? null,
    hint: error.hint ?? null,
    message: error.message,
  };
  const custom = /^PT([2-5]\d\d)$/.exec(error.code)?.[1];
  return Response.json(body, { status: custom === undefined ? statusOf(error.code) : Number(custom) });
}

/** The status PostgREST gives an SQLSTATE, for those lite leaves over (PostgREST manual, "Errors"). */
function statusOf(sqlstate: string): number {
  if (sqlstate === "P0001") return 400;
  if (/^(08|53)/.test(sqlstate)) return 503;
  if (/^(0L|0P|28)/.test(sqlstate)) return 403;
  return /^(09|25|2D|38|39|3B|40|54|55|57|58|F0|HV|P0|XX)|^42P17/.test(sqlstate) ? 500 : 400;
}
