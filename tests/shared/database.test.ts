import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { call } from "../../shared/database.ts";
import { ApiError, errorKinds } from "../../shared/errors.ts";
import { hashKey, mintKey } from "../../shared/keys.ts";
import { type Api, startApi } from "../support/api.ts";
import { answerJson, type StandIn, startStandIn } from "../support/stand-in.ts";

const nobody = { key_hash: hashKey(mintKey("live").plain) };
const key = "sb_secret_of_the_test";
let standIn: StandIn | undefined;

afterEach(async () => {
  await standIn?.close();
  standIn = undefined;
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** A gateway that answers every RPC so. */
async function gateway(status: number, body: unknown, secret = key): Promise<StandIn> {
  const started = await startStandIn((_, response) =>
    typeof body === "string" ? void response.writeHead(status).end(body) : answerJson(response, status, body)
  );
  standIn = started;
  vi.stubEnv("SUPABASE_URL", started.url);
  vi.stubEnv("SUPABASE_SECRET_KEYS", JSON.stringify({ default: secret }));
  return started;
}

async function failure(): Promise<Error> {
  const error = await call("whoami", { p_caller: nobody }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Error);
  return error as Error;
}

const raised = (code: string, message: string, details: string | null = null) => ({
  code,
  message,
  details,
  hint: null,
});

describe("a call", () => {
  test("posts the arguments to the function in schema mailpipe_api and gives back its object", async () => {
    const { calls } = await gateway(200, { kind: "key" });
    expect(await call("whoami", { p_caller: nobody })).toEqual({ kind: "key" });
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({ method: "POST", path: "/rest/v1/rpc/whoami" });
    expect(calls[0]?.headers["content-profile"]).toBe("mailpipe_api");
    expect(JSON.parse(calls[0]?.body ?? "")).toEqual({ p_caller: nobody });
  });

  test("carries an opaque key as apikey alone, an old one as bearer too", async () => {
    const opaque = await gateway(200, {});
    await call("whoami", { p_caller: nobody });
    expect(opaque.calls[0]?.headers).toMatchObject({ apikey: key });
    expect(opaque.calls[0]?.headers["authorization"]).toBeUndefined();
    await opaque.close();
    const old = await gateway(200, {}, "e30.e30.e30");
    await call("whoami", { p_caller: nobody });
    expect(old.calls[0]?.headers).toMatchObject({
      apikey: "e30.e30.e30",
      authorization: "Bearer e30.e30.e30",
    });
  });

  test("is made once: work may have been done although no answer came", async () => {
    const { calls } = await gateway(503, raised("PGRST001", "no connection"));
    await failure();
    expect(calls).toHaveLength(1);
  });
});

describe("a refusal raised in SQL", () => {
  test.each(
    [
      ["PT401", "invalid_credential"],
      ["PT404", "not_found"],
      ["PT409", "idempotency_key_reused"],
      ["PT503", "data_key_missing"],
    ] as const,
  )("%s %s is the refusal of that code, its detail beside it", async (state, code) => {
    await gateway(errorKinds[code].status, raised(state, code, "the particular"));
    const error = await failure();
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ code, particulars: "the particular" });
  });

  test("names its field when the detail does", async () => {
    await gateway(422, raised("PT422", "invalid_request", "name: is taken: choose another"));
    expect(await failure()).toMatchObject({
      code: "invalid_request",
      particulars: [{ path: "name", message: "is taken: choose another" }],
    });
  });
});

describe("what Postgres says in its own words stays with us", () => {
  test.each([
    ["22023", 400, 'invalid hexadecimal digit: "z" of ada@example.com'],
    ["23505", 409, "duplicate key value violates unique constraint"],
    ["42501", 403, "permission denied for table api_keys"],
    ["57014", 500, "canceling statement due to statement timeout"],
    ["PGRST202", 404, "Could not find the function mailpipe_api.whoami"],
    ["PT418", 418, "not a code of the registry"],
    ["PT404", 404, "constructor"],
    ["P0001", 400, "invalid_credential"],
  ])("%s (%i)", async (code, status, message) => {
    await gateway(status, raised(code, message, message));
    const error = await failure();
    expect(error).not.toBeInstanceOf(ApiError);
    expect(error.message).toBe(`database: ${code}`);
  });

  test("an answer that is no error of PostgREST's", async () => {
    await gateway(400, "<html>ada@example.com</html>");
    expect((await failure()).message).toBe("database: 400");
  });
});

describe("a database out of reach is unavailable", () => {
  test.each([
    [503, raised("PGRST000", "Could not connect")],
    [503, raised("PGRST001", "Database client error")],
    [503, raised("PGRST002", "Could not query the schema cache")],
    [504, raised("PGRST003", "Timed out acquiring connection")],
    [503, raised("53300", "too many connections")],
    [503, { message: "name resolution failed" }],
    [502, "<html>bad gateway</html>"],
    [504, ""],
  ])("answering %i %j", async (status, body) => {
    await gateway(status, body);
    expect(await failure()).toMatchObject({ code: "database_unavailable", particulars: undefined });
  });

  test("refusing connections, and silent for 30 s", async () => {
    const { close } = await gateway(200, {});
    const deadline = vi.spyOn(AbortSignal, "timeout").mockReturnValue(
      AbortSignal.abort(new DOMException("", "TimeoutError")),
    );
    expect(await failure()).toMatchObject({ code: "database_unavailable" });
    expect(deadline).toHaveBeenCalledWith(30_000);
    deadline.mockRestore();
    await close();
    standIn = undefined;
    expect(await failure()).toMatchObject({ code: "database_unavailable" });
  });
});

describe("with a real database behind it", () => {
  let api: Api;

  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.close());

  test("a key nobody issued is refused with the registry's code", async () => {
    await expect(call("whoami", { p_caller: nobody })).rejects.toMatchObject({ code: "invalid_credential" });
  });

  test("an argument Postgres cannot read is our fault and says nothing of its content", async () => {
    const error = await call("finish_message", {
      p_caller: { project_secret: true },
      p_job_id: "job_1",
      p_fence: "ada@example.com",
      p_result: {},
    }).catch((reason: unknown) => reason as Error);
    expect(error).not.toBeInstanceOf(ApiError);
    expect(String(error)).toBe("Error: database: 22P02");
  });
});
