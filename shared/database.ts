import { PostgrestClient } from "@supabase/postgrest-js";
import type { Database } from "./database-types.ts";
import { apiUrl, secretKey, secretKeyHeaders } from "./environment.ts";
import { ApiError, type ErrorDetail, Fault, isErrorCode } from "./errors.ts";

type Functions = Database["mailpipe_api"]["Functions"];

/** Name of an SQL function of schema mailpipe_api. */
export type ApiFunction = keyof Functions;

/** What an SQL function answers: a JSON object; workers parse it with a schema. */
export type Facts = Record<string, unknown>;

/** Its arguments by name; the values are JSON. */
export type Arguments<Name extends ApiFunction> = { [Key in keyof Functions[Name]["Args"]]: unknown };

// The longest statement may take 8 s; what is silent after 30 s will not answer any more.
const timeoutMs = 30_000;

type Rest = PostgrestClient<Database, object, "mailpipe_api">;

let client: { url: string; key: string; rest: Rest } | undefined;

function rest(): Rest {
  const url = `${apiUrl()}/rest/v1`;
  const key = secretKey();
  if (client?.url === url && client.key === key) return client.rest;
  const made: Rest = new PostgrestClient(url, { headers: secretKeyHeaders(), schema: "mailpipe_api" });
  client = { url, key, rest: made };
  return made;
}

function fieldDetails(detail: string): ErrorDetail[] {
  const [path = "", ...rest] = detail.split(": ");
  return [{ path, message: rest.join(": ") }];
}

/** A gateway that cannot reach PostgREST answers in its own words, and PostgREST has one of these for its database. */
function isUnreachable(status: number, code: string | undefined): boolean {
  return code === "" || status === 502 || status === 503 || status === 504;
}

interface RestError {
  code?: string;
  message: string;
  details: string | null;
}

function refusal(error: RestError, status: number): Error {
  // PostgREST answers PT4xx with our code as message; an SQLSTATE beyond those carries text of Postgres' own.
  if (/^PT\d{3}$/.test(error.code ?? "") && isErrorCode(error.message)) {
    const detail = error.details ?? undefined;
    if (error.message === "invalid_request" && detail !== undefined) {
      return new ApiError(error.message, fieldDetails(detail));
    }
    return new ApiError(error.message, detail);
  }
  // An empty code: the answer never came.
  if (isUnreachable(status, error.code)) return new ApiError("database_unavailable");
  return new Fault(`database: ${error.code ?? status}`);
}

/**
 * Calls a function of mailpipe_api. A refusal raised there (PT4xx) becomes the ApiError of the same code, an
 * unreachable database `database_unavailable`; anything else is a Fault that names the SQLSTATE and no data.
 */
export async function call<Name extends ApiFunction>(name: Name, args: Arguments<Name>): Promise<Facts> {
  const { data, error, status } = await rest().rpc(name, args as never)
    .abortSignal(AbortSignal.timeout(timeoutMs));
  if (error !== null) throw refusal(error, status);
  return data as unknown as Facts;
}
