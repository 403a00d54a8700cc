import { readdirSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Scope, scopes } from "../../shared/access.ts";
import { keyChecksum } from "../../shared/keys.ts";
import type { ListedRoute } from "../../shared/serve.ts";
import { type Api, type Session, startApi } from "../support/api.ts";
import { type Answer, ask, type Question, refusal } from "../support/ask.ts";
import { everyRoute } from "../support/functions.ts";
import { keepLog } from "../support/log.ts";
import { addMember, foundTenant, issue, type Tenant } from "../support/tenant.ts";

const slugs = readdirSync(new URL("../../functions/", import.meta.url)).sort();
const doors = await everyRoute();
const functions = new Map(doors.map(({ slug, fn }) => [slug, fn]));

interface Door {
  slug: string;
  route: ListedRoute;
}

const named = (some: Door[]) =>
  some.map((door) => [`${door.route.method} ${door.route.path}`, door] as const);
const mail = { from: "a@sender.example", to: ["b@receiver.example"], subject: "Hello", text: "Hello" };

/** A body each route takes; what happens once it is taken is for the function's own test. */
const bodies: Record<string, unknown> = {
  "POST deliver-mail": {},
  "POST dispatch-webhooks": {},
  "POST process-inbound": {},
  "POST run-maintenance": {},
  "POST issue-key": { name: "k", environment: "live", scopes: ["mail:read"] },
  "POST revoke-key": { id: "key_00000000000000000000000000" },
  "POST rotate-key": { id: "key_00000000000000000000000000" },
  "POST report-leaked-key": { keys: ["nothing"] },
  "PATCH organizations/{id}": { name: "Acme" },
  "PATCH members/{id}": { role: "viewer" },
  "POST invitations": { email: "new@receiver.example", role: "member" },
  "POST invitations/accept": { token: "mpi_none_there_ever_was" },
  "POST delete-data": { what: "message", id: "msg_00000000000000000000000000" },
  "POST delete-data/receipt": { confirm: "mpd_none_there_ever_was" },
  "POST run-data-jobs": {},
  "POST mailboxes": { address: "in@receiver.example" },
  "PATCH mailboxes/{id}": { display_name: "In" },
  "POST organizations": { name: "Second" },
  // A port nobody listens on, at an address nobody may connect to.
  "POST providers": {
    kind: "smtp",
    name: "p",
    credentials: { host: "127.0.0.1", port: 9, secure: true, username: "u", password: "password-of-nobody" },
  },
  "PATCH providers/{id}": { name: "p" },
  "POST send-mail": mail,
  "POST take-out-master-key": { passphrase: "a passphrase of some length" },
  "POST webhooks": { url: "https://127.0.0.1/hook", events: ["*"] },
  "PATCH webhooks/{id}": { enabled: true },
  "POST webhooks/{id}/rotate-secret": {},
  "POST replay-deliveries": { delivery_id: "dlv_00000000000000000000000000" },
};

let api: Api;
let tenant: Tenant;
let log: string[];
let workerSecret: string;
let unknown: string;
let revoked: string;
let expired: string;
let viewer: string;
const malformed = `mp_live_${"a".repeat(38)}`;
const narrowed = new Map<Scope, string>();
const secrets: string[] = [];

async function knock({ slug, route }: Door, question: Question & { query?: string } = {}): Promise<Answer> {
  const fn = functions.get(slug);
  if (fn === undefined) throw new Error(slug);
  const path = route.path.replace("{kind}", "mime").replace("{token}", "no-such-token")
    .replace(
      "{id}",
      route.path.startsWith("organizations") ? tenant.organization_id : "prv_00000000000000000000000000",
    );
  const body = question.raw === undefined && question.body === undefined && route.body !== undefined
    ? { body: bodies[`${route.method} ${route.path}`] }
    : {};
  const given = { method: route.method, ...(route.raw ? { raw: "raw" } : body), ...question };
  const answer = await ask(fn, path + (question.query ?? ""), given);
  expect(answer.status, `${route.method} ${path}: ${answer.text}`).toBeLessThan(500);
  return answer;
}

/** A credential that opens the door; none where there is nothing to open. */
function opening({ route: { access } }: Door): Question {
  if ("worker" in access) return { headers: { authorization: `Bearer ${workerSecret}` } };
  return "connection" in access || "public" in access ? {} : { token: tenant.owner.access_token };
}

/** Adds to the headers a question already has. */
function sending(question: Question, headers: Record<string, string>): Question {
  return { ...question, headers: { ...question.headers, ...headers } };
}

async function deadKeys(): Promise<void> {
  const sql = api.database.sql("postgres");
  const [one, two] = [await issue(tenant.owner.access_token), await issue(tenant.owner.access_token)];
  await sql`update mailpipe.api_keys set revoked_at = mailpipe.clock() where id = ${one.id}`;
  await sql`
    update mailpipe.api_keys
    set created_at = created_at - interval '2 days', expires_at = created_at - interval '1 day'
    where id = ${two.id}
  `;
  [revoked, expired] = [one.key, two.key];
  const head = `mp_live_${"b".repeat(32)}`;
  unknown = head + keyChecksum(head);
}

beforeAll(async () => {
  log = keepLog();
  api = await startApi();
  tenant = await foundTenant(api);
  await deadKeys();
  viewer = (await addMember(api, tenant, "viewer")).access_token;
  const [vaulted] = await api.database.sql("postgres")<{ secret: string }[]>`
    select decrypted_secret as secret from vault.decrypted_secrets where name = 'mailpipe_worker_secret'
  `;
  workerSecret = vaulted?.secret ?? "";
  for (const scope of scopes) {
    const others = scopes.filter((each) => each !== scope);
    narrowed.set(scope, (await issue(tenant.owner.access_token, { scopes: others })).key);
  }
  const known = [malformed, unknown, revoked, expired, workerSecret, api.secretKey, api.publishableKey];
  secrets.push(viewer, ...known, tenant.live, tenant.test, tenant.owner.access_token, ...narrowed.values());
});
afterAll(() => api.close());
beforeEach(() => void (api.calls.length = 0));

const forKeys = doors.filter(({ route }) => "scope" in route.access || "caller" in route.access);
const forScopes = doors.filter(({ route }) => "scope" in route.access);
const forSessions = doors.filter(({ route }) => "session" in route.access);
const forRoles = doors.filter(({ route: { access } }) => "role" in access && access.role !== "viewer");
const forWorkers = doors.filter(({ route }) => "worker" in route.access);
const withCredential = [...forKeys, ...forSessions, ...forRoles, ...forWorkers];
const withBody = doors.filter(({ route }) => route.body !== undefined);

test("every function has routes, and every route with a body has one here", () => {
  expect(slugs.filter((slug) => (functions.get(slug)?.routes ?? []).length === 0)).toEqual([]);
  expect(withBody.map(({ route }) => `${route.method} ${route.path}`).sort()).toEqual(
    Object.keys(bodies).sort(),
  );
});

describe.each(named(withCredential))("%s without a good credential", (_, door) => {
  test("is 401 missing_credential when none is sent, and asks nobody", async () => {
    expect(refusal(await knock(door))).toEqual([401, "missing_credential"]);
    expect(refusal(await knock(door, { headers: { authorization: "" } }))).toEqual([
      401,
      "missing_credential",
    ]);
    expect(api.calls).toEqual([]);
  });

  test.each([
    ["another scheme", "Basic YTpi"],
    ["two tokens", "Bearer a b"],
    ["two credentials", "Bearer a, Bearer b"],
    ["no token", "Bearer"],
    ["a key mistyped", `Bearer ${malformed}`],
    ["a key cut short", `Bearer ${malformed.slice(0, 45)}`],
    ["a token that is nothing", "Bearer nothing"],
    ["a token that names no algorithm", "Bearer eyJhbGciOiJub25lIn0.e30."],
    ["a worker secret mistyped", "Bearer mpw_0000"],
  ])("is 401 invalid_credential for %s, and asks nobody", async (_, authorization) => {
    expect(refusal(await knock(door, { headers: { authorization } }))).toEqual([401, "invalid_credential"]);
    expect(api.calls).toEqual([]);
  });
});

describe.each(named([...forKeys, ...forSessions, ...forRoles]))(
  "%s by a key that does not live",
  (_, door) => {
    test("gets one answer to the byte, malformed, unknown, revoked or expired", async () => {
      const headers = { "x-request-id": "the-same" };
      const answers: Answer[] = [];
      for (const token of [malformed, unknown, revoked, expired]) {
        answers.push(await knock(door, { token, headers }));
      }
      expect(answers.map(refusal)).toEqual(answers.map(() => [401, "invalid_credential"]));
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
      expect(new Set(answers.map((answer) => JSON.stringify([...answer.headers]))).size).toBe(1);
    });
  },
);

describe.each(named(forScopes))("%s", (_, door) => {
  const { access } = door.route;
  const scope = "scope" in access ? access.scope : "mail:read";

  test(`is 403 scope_missing for a key with every scope but ${scope}`, async () => {
    const answer = await knock(door, { token: narrowed.get(scope) ?? "" });
    expect(refusal(answer)).toEqual([403, "scope_missing"]);
    expect(answer.body.error).toContain(scope);
  });

  test("opens to a key and to a session that hold it", async () => {
    for (const token of [tenant.test, tenant.owner.access_token]) {
      expect((await knock(door, { token })).status).not.toBe(401);
      expect((await knock(door, { token })).body.code).not.toBe("scope_missing");
    }
  });
});

describe.each(named(withCredential.filter((door) => !forWorkers.includes(door))))("%s", (_, door) => {
  test("takes no secret of the project as a caller", async () => {
    for (const token of [workerSecret, api.secretKey, api.publishableKey]) {
      expect(refusal(await knock(door, { token }))).toEqual([401, "invalid_credential"]);
      expect(refusal(await knock(door, { headers: { apikey: token } }))).toEqual([401, "missing_credential"]);
    }
    expect(api.calls).toEqual([]);
  });

  test("refuses a key from a browser where its page can read why, and only marks the key", async () => {
    const answer = await knock(door, { token: tenant.live, headers: { origin: "https://app.example" } });
    expect(refusal(answer)).toEqual([401, "key_in_browser"]);
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
    expect(api.calls.map(({ rpc }) => rpc)).toEqual(["record_refusal"]);
  });

  test("opens to a session from a browser", async () => {
    const question = { token: tenant.owner.access_token, headers: { origin: "https://app.example" } };
    expect((await knock(door, question)).status).not.toBe(401);
  });

  test("refuses a session whose token was changed", async () => {
    const [head = "", claims = "", signature = ""] = tenant.owner.access_token.split(".");
    const forged = `${head}.${claims}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
    expect(refusal(await knock(door, { token: forged }))).toEqual([401, "invalid_credential"]);
  });
});

test.each(named([...forSessions, ...forRoles]))(
  "%s is 403 session_required for a key with every scope",
  async (_, door) => {
    expect(refusal(await knock(door, { token: tenant.live }))).toEqual([403, "session_required"]);
  },
);

test.each(named(forRoles))("%s is 403 role_missing for a viewer", async (_, door) => {
  expect(refusal(await knock(door, { token: viewer }))).toEqual([403, "role_missing"]);
});

describe.each(named(forWorkers))("%s", (_, door) => {
  test("is 401 for a key, a session and a stranger's worker secret", async () => {
    const stranger = `mpw_${"0".repeat(64)}`;
    const given = [
      tenant.live,
      tenant.test,
      unknown,
      tenant.owner.access_token,
      api.publishableKey,
      stranger,
    ];
    for (const token of given) {
      expect(refusal(await knock(door, { token }))).toEqual([401, "invalid_credential"]);
    }
  });

  test("opens to the workers' secret and to the project's secret key", async () => {
    for (const token of [workerSecret, api.secretKey]) {
      expect((await knock(door, { token })).status).toBe(200);
    }
    expect((await knock(door, { headers: { apikey: api.secretKey } })).status).toBe(200);
  });
});

describe.each(named(doors))("%s", (_, door) => {
  test.each([
    ["in its query", { query: `?key=${malformed}` }],
    ["in its query, percent-encoded", { query: `?key=${malformed.replaceAll("_", "%5F")}` }],
    ["in the apikey header", { headers: { apikey: malformed } }],
    ["in a cookie", { headers: { cookie: `key=${malformed}` } }],
    ["in the referer", { headers: { referer: `https://app.example/?k=${malformed}` } }],
  ])("is 400 key_misplaced for a key %s", async (_, question) => {
    const given = question as Question & { query?: string };
    const answer = await knock(door, sending({ ...opening(door), ...given }, given.headers ?? {}));
    expect(refusal(answer)).toEqual([400, "key_misplaced"]);
    expect(api.calls).toEqual([]);
  });

  test("is 405 for a method it has not, and names those it has", async () => {
    for (const method of ["PUT", "HEAD"]) {
      const answer = await knock(door, {
        ...opening(door),
        method,
        ...(method === "HEAD" ? { raw: null as never } : {}),
      });
      expect(refusal(answer)).toEqual([405, "method_not_allowed"]);
      expect(answer.body.error).toContain(door.route.method);
    }
  });

  test("is 404 for a path below it", async () => {
    const fn = functions.get(door.slug);
    if (fn === undefined) throw new Error(door.slug);
    const answer = await ask(fn, `${door.slug}/a/b/c/d`, { ...opening(door), method: door.route.method });
    expect(refusal(answer)).toEqual([404, "not_found"]);
  });

  test("is 403 https_required when the caller came over plain HTTP", async () => {
    for (const proto of ["http", "HTTP", "http,https", "ws"]) {
      const answer = await knock(door, sending(opening(door), { "x-forwarded-proto": proto }));
      expect(refusal(answer)).toEqual([403, "https_required"]);
    }
    expect(api.calls).toEqual([]);
  });

  test("echoes a safe request id and replaces any other", async () => {
    const safe = "a-Safe_id-1";
    const answer = await knock(door, { headers: { "x-request-id": safe } });
    expect(answer.headers.get("x-request-id")).toBe(safe);
    for (const hostile of ["", "a b", "<script>", '"}{"', "é", "../..", "a".repeat(65), "%0d%0a"]) {
      const { headers, body, status } = await knock(door, { headers: { "x-request-id": hostile } });
      expect(headers.get("x-request-id")).toMatch(/^req_[0-9A-Za-z]{26,32}$/);
      if (status >= 400) expect(body.request_id).toBe(headers.get("x-request-id"));
    }
  });

  test("answers OPTIONS with 204 and what a page may send", async () => {
    const answer = await knock(door, { method: "OPTIONS", raw: null as never });
    expect(answer.status).toBe(204);
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(answer.headers.get("access-control-allow-methods")).toContain(door.route.method);
    const wanted = "authorization apikey content-type x-client-info x-organization-id " +
      "x-mailpipe-environment idempotency-key";
    const allowed = answer.headers.get("access-control-allow-headers")?.split(", ");
    expect(wanted.split(" ").filter((name) => !allowed?.includes(name))).toEqual([]);
    expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
    expect(api.calls).toEqual([]);
  });

  test("answers JSON that nobody keeps", async () => {
    const answer = await knock(door);
    expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });
});

/** `size` bytes in chunks, with no length said beforehand. */
function endless(size: number): ReadableStream<Uint8Array> {
  const chunk = new Uint8Array(256 * 1024).fill(0x20);
  let left = size;
  return new ReadableStream({
    pull(controller) {
      if (left <= 0) return controller.close();
      controller.enqueue(chunk.subarray(0, Math.min(left, chunk.length)));
      left -= chunk.length;
    },
  });
}

describe.each(named([...withBody, ...doors.filter(({ route }) => route.raw)]))(
  "%s with a body",
  (_, door) => {
    const cap = door.route.cap ?? 1024 * 1024;
    const json = { "content-type": "application/json" };

    test("is 413 one byte over its cap, by the length it says", async () => {
      const headers = { ...json, "content-length": String(cap + 1) };
      expect(refusal(await knock(door, { ...sending(opening(door), headers), raw: "{}" }))).toEqual([
        413,
        "payload_too_large",
      ]);
    });

    test("is 413 one byte over its cap, counted, when it says no length or a smaller one", async () => {
      for (const length of [{}, { "content-length": "2" }]) {
        const question = { ...sending(opening(door), { ...json, ...length }), raw: endless(cap + 1) };
        expect(refusal(await knock(door, question))).toEqual([413, "payload_too_large"]);
      }
    });
  },
);

describe.each(named(withBody))("%s with a body", (_, door) => {
  const json = { "content-type": "application/json" };

  test.each([
    ["nothing", ""],
    ["half an object", '{"a":'],
    ["null", "null"],
    ["a text", '"{}"'],
    ["a number", "1"],
    ["bytes that are not UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ])("is 400 invalid_json for %s", async (_, raw) => {
    expect(refusal(await knock(door, { ...sending(opening(door), json), raw }))).toEqual([
      400,
      "invalid_json",
    ]);
  });

  test.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp"])(
    "is 415 for %s",
    async (type) => {
      const question = { ...sending(opening(door), { "content-type": type }), raw: "{}" };
      expect(refusal(await knock(door, question))).toEqual([415, "unsupported_media_type"]);
    },
  );

  test("is 422 for a field there is not, and names it", async () => {
    const body = { ...(bodies[`${door.route.method} ${door.route.path}`] as object), no_such_field: 1 };
    expect(refusal(await knock(door, { ...opening(door), body }))).toEqual([
      422,
      "invalid_request",
      "no_such_field",
    ]);
  });

  test("is 422 for a list where one object is wanted", async () => {
    expect((await knock(door, { ...opening(door), body: [] })).status).toBe(422);
  });

  test("leaves the body of a caller without a credential unread", async () => {
    if ("public" in door.route.access) return;
    expect((await knock(door, { headers: json, raw: "not JSON" })).status).toBe(401);
  });
});

const lists = doors.filter(({ route }) => route.query?.safeParse({ limit: "5" }).success);

test.each(
  named(
    doors.filter(({ route }) => route.query !== undefined && !lists.some((list) => list.route === route)),
  ),
)(
  "%s is 422 for a parameter there is not",
  async (_, door) => {
    const answer = await knock(door, { ...opening(door), query: "?no_such_field=1" });
    expect(refusal(answer)).toEqual([422, "invalid_request", "no_such_field"]);
  },
);

describe.each(named(lists))("%s", (_, door) => {
  test("is 422 for a parameter there is not, and names it", async () => {
    const answer = await knock(door, { ...opening(door), query: "?no_such_field=1" });
    expect(refusal(answer)).toEqual([422, "invalid_request", "no_such_field"]);
  });

  test.each(["0", "101", "-1", "1.5", "ten", ""])("is 422 for limit=%s", async (limit) => {
    const answer = await knock(door, { ...opening(door), query: `?limit=${limit}` });
    expect(refusal(answer)).toEqual([422, "invalid_request", "limit"]);
  });

  test.each([
    ["nothing", ""],
    ["no cursor", "abc"],
    ["hex of something else", "61".repeat(40)],
    ["a day that never was", Buffer.from(`2024-02-30T00:00:00.000Z|msg_${"0".repeat(26)}`).toString("hex")],
    ["an hour that never was", Buffer.from(`2024-01-01T99:00:00.000Z|msg_${"0".repeat(26)}`).toString("hex")],
    ["a year that never was", Buffer.from(`0000-01-01T00:00:00.000Z|msg_${"0".repeat(26)}`).toString("hex")],
    ["a quote", "'; drop table mailpipe.messages; --"],
  ])("is 400 invalid_cursor for a cursor that is %s", async (_, cursor) => {
    const answer = await knock(door, { ...opening(door), query: `?cursor=${cursor}` });
    expect(refusal(answer)).toEqual([400, "invalid_cursor"]);
  });

  test.each([["longer than any", "a".repeat(201)], ["NUL", "%00"]])(
    "is 422 for a cursor that is %s",
    async (_, cursor) => {
      const answer = await knock(door, { ...opening(door), query: `?cursor=${cursor}` });
      expect(refusal(answer)).toEqual([422, "invalid_request", "cursor"]);
    },
  );
});

describe("a session", () => {
  const granted: Record<string, readonly Scope[]> = {
    admin: scopes.filter((scope) => scope !== "data:delete"),
    member: ["mail:send", "mail:read", "mail:write", "mailboxes:read", "domains:read", "usage:read"],
    viewer: ["mail:read", "mailboxes:read", "domains:read", "webhooks:read", "usage:read"],
  };

  test.each(Object.keys(granted))(
    "of role %s may do what DESIGN §7 grants it, and nothing else",
    async (role) => {
      const token = role === "viewer" ? viewer : (await addMember(api, tenant, role)).access_token;
      for (const door of forScopes) {
        const { access } = door.route;
        const may = "scope" in access && granted[role]?.includes(access.scope);
        const { body } = await knock(door, { token });
        expect(body.code === "scope_missing", `${role}: ${door.route.method} ${door.route.path}`).toBe(!may);
      }
    },
  );

  test.each(named(forScopes))(
    "%s refuses an organization and an environment it cannot read",
    async (_, door) => {
      const bad = { "x-organization-id": "org_1", "x-mailpipe-environment": "prod" };
      for (const [name, value] of Object.entries(bad)) {
        const answer = await knock(door, sending(opening(door), { [name]: value }));
        expect(refusal(answer)).toEqual([400, "invalid_header"]);
      }
      const elsewhere = sending(opening(door), { "x-organization-id": `org_${"0".repeat(26)}` });
      expect(refusal(await knock(door, elsewhere))).toEqual([404, "not_found"]);
    },
  );

  test("counts no longer once it signed out or its member was removed", async () => {
    const [out, removed]: Session[] = [
      await addMember(api, await foundTenant(api, "other"), "admin"),
      await addMember(api, tenant, "owner"),
    ];
    const sql = api.database.sql("supabase_admin");
    await sql`delete from auth.sessions where id = ${out?.session_id ?? ""}`;
    await sql`delete from mailpipe.members where user_id = ${removed?.user_id ?? ""}`;
    for (const door of forScopes) {
      expect(refusal(await knock(door, { token: out?.access_token ?? "" }))).toEqual([
        401,
        "invalid_credential",
      ]);
      const answer = await knock(door, { token: removed?.access_token ?? "" });
      expect(refusal(answer)).toEqual([400, "organization_required"]);
    }
  });
});

test("no log line holds a credential, a path's token or a body", () => {
  expect(log.length).toBeGreaterThan(1000);
  const leaks = [...secrets, "no-such-token", "drop table", "Hello", "https://127.0.0.1/hook"];
  expect(leaks.filter((leak) => log.some((line) => line.includes(leak)))).toEqual([]);
  expect(log.filter((line) => JSON.parse(line).fault !== undefined)).toEqual([]);
});
