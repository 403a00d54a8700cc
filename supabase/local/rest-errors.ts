import { AsyncLocalStorage } from "node:async_hooks";

/** What a Postgres driver throws, as far as PostgREST shows it. */
export interface DatabaseError {
  code?: string;
  message: string;
  detail?: string;
  hint?: string;
}

const captured = new AsyncLocalStorage<unknown[]>();
let installed = false;

/**
 * Runs `work` and returns what it wrote to `console.error` instead of printing it. Lite prints every refused
 * call, an expected answer included, and keeps the database's error to itself in cases PostgREST reports.
 * Only what `work` itself calls is caught, whatever else the process does meanwhile.
 */
export async function withCapturedErrors(
  work: () => Promise<Response>,
): Promise<{ response: Response; errors: unknown[] }> {
  if (!installed) {
    installed = true;
    const print = console.error;
    console.error = (...values) => {
      const errors = captured.getStore();
      if (errors) errors.push(...values);
      else print(...values);
    };
  }
  const errors: unknown[] = [];
  return { response: await captured.run(errors, work), errors };
}

/** Replaces lite's own code for an SQLSTATE it does not know (`SUP`, 500) by what PostgREST answers. */
export async function answerAsPostgrest(
  response: Response,
  error: DatabaseError | undefined,
): Promise<Response> {
  if (response.status !== 500 || error?.code === undefined || !/^[0-9A-Z]{5}$/.test(error.code)) {
    return response;
  }
  const body = {
    code: error.code,
    details: error.detail ?? null,
    hint: error.hint ?? null,
    message: error.message,
  };
  return Response.json(body, { status: statusOf(error.code) });
}

/** The status PostgREST gives an SQLSTATE, for those lite leaves over (PostgREST manual, "Errors"). */
function statusOf(sqlstate: string): number {
  if (sqlstate === "P0001") return 400;
  if (/^(08|53)/.test(sqlstate)) return 503;
  if (/^(0L|0P|28)/.test(sqlstate)) return 403;
  return /^(09|25|2D|38|39|3B|40|54|55|57|58|F0|HV|P0|PT|XX)|^42P17/.test(sqlstate) ? 500 : 400;
}
