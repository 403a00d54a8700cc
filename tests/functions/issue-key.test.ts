import { afterAll, beforeAll, describe, expect, test } from "vitest";
import issueKey from "../../functions/issue-key/index.ts";
import whoami from "../../functions/whoami/index.ts";
import { scopes } from "../../shared/access.ts";
import { hashKey, isWholeKey, mintKey } from "../../shared/keys.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, refusal } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { addMember, foundTenant, issue, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;
let log: string[];
const wanted = { name: "CI", environment: "live", scopes: ["mail:send", "mail:read"] };

beforeAll(async () => {
  log = keepLog();
  api = await startApi();
  tenant = await foundTenant(api);
});
afterAll(() => api.close());

const askIssue = (body: unknown, token = tenant.owner.access_token, headers = {}) =>
  ask(issueKey, "issue-key", { token, body, headers });

describe("issue-key", () => {
  test("makes a key that works at once, in one SQL call", async () => {
    const answer = await askIssue(wanted, tenant.live);
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      name: "CI",
      environment: "live",
      scopes: wanted.scopes,
      expires_at: null,
    });
    const key = String(answer.body.key);
    expect(isWholeKey(key)).toBe(true);
    expect(key).toMatch(/^mp_live_[0-9A-Za-z]{38}$/);
    expect(answer.body.last_four).toBe(key.slice(-4));

    const { body } = await ask(whoami, "whoami", { token: key });
    expect(body).toMatchObject({ kind: "key", id: answer.body.id, scopes: wanted.scopes });
    api.calls.length = 0;
    await askIssue(wanted, tenant.live);
    expect(api.calls.map(({ rpc }) => rpc)).toEqual(["issue_key"]);
  });

  test("keeps the key nowhere: not in a row, not in the log, and only its hash in the table", async () => {
    const { id, key } = await issue(tenant.owner.access_token);
    const sql = api.database.sql("postgres");
    const [row] = await sql`select encode(hash, 'hex') as hash from mailpipe.api_keys where id = ${id}`;
    expect(row).toEqual({ hash: hashKey(key) });
    const audit = await sql`select audit::text as line from mailpipe.audit where subject_id = ${id}`;
    expect(audit.map(({ line }) => String(line).includes(key))).toEqual([false]);
    expect(log.filter((line) => line.includes(key))).toEqual([]);
  });

  test("says who issued a key: the user, or the key", async () => {
    const first = await askIssue({ ...wanted, scopes: ["keys:write", "mail:read"] });
    expect(first.body.issued_by).toBe(tenant.owner.user_id);
    const second = await askIssue({ ...wanted, scopes: ["mail:read"] }, String(first.body.key));
    expect(second.body.issued_by).toBe(first.body.id);
  });

  test("never gives a key more than its issuer has", async () => {
    const { key } = await issue(tenant.owner.access_token, { scopes: ["keys:write", "mail:read"] });
    const answer = await askIssue({ ...wanted, scopes: ["mail:read", "mail:send"] }, key);
    expect(refusal(answer)).toEqual([403, "scope_missing"]);
    expect(answer.body.error).toContain("mail:send");
    expect(answer.body.error).not.toContain("mail:read");
  });

  test("never gives a key more than its issuer's role has", async () => {
    const admin = await addMember(api, tenant, "admin");
    const answer = await askIssue({ ...wanted, scopes: ["data:delete"] }, admin.access_token);
    expect(refusal(answer)).toEqual([403, "scope_missing"]);
  });

  test("never lets a child outlive its issuer", async () => {
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    const { key } = await issue(tenant.owner.access_token, { expires_at: soon });
    expect((await askIssue(wanted, key)).body.expires_at).toBe(soon);
    const later = new Date(Date.now() + 7_200_000).toISOString();
    expect((await askIssue({ ...wanted, expires_at: later }, key)).body.expires_at).toBe(soon);
    const sooner = new Date(Date.now() + 60_000).toISOString();
    expect((await askIssue({ ...wanted, expires_at: sooner }, key)).body.expires_at).toBe(sooner);
  });

  test("keeps a key in its issuer's environment", async () => {
    expect(refusal(await askIssue({ ...wanted, environment: "test" }, tenant.live))).toEqual([
      403,
      "environment_mismatch",
    ]);
    expect(refusal(await askIssue(wanted, tenant.test))).toEqual([403, "environment_mismatch"]);
    const picked = { "x-mailpipe-environment": "test" };
    expect(refusal(await askIssue(wanted, tenant.owner.access_token, picked))).toEqual([
      403,
      "environment_mismatch",
    ]);
  });

  test("takes mailbox:read as mailboxes:read, and a scope once", async () => {
    const { body } = await askIssue({
      ...wanted,
      scopes: ["mailbox:read", "mailboxes:read", "mailbox:write"],
    });
    expect(body.scopes).toEqual(["mailboxes:read", "mailboxes:write"]);
  });

  test("hands an expiry on in UTC", async () => {
    const { body } = await askIssue({ ...wanted, expires_at: "2999-01-01T00:00:00+02:00" });
    expect(body.expires_at).toBe("2998-12-31T22:00:00.000Z");
  });

  test.each<[string, string, unknown]>([
    ["no name", "name", undefined],
    ["an empty name", "name", ""],
    ["a name of blanks", "name", "   "],
    ["a name that is a number", "name", 7],
    ["a name of 201 characters", "name", "n".repeat(201)],
    ["a name with a line break", "name", "a\r\nb"],
    ["a name with NUL", "name", "a\0b"],
    ["a name with half a character", "name", "a\ud800b"],
    ["a name with a line separator", "name", "a\u2028b"],
    ["a name that turns its direction", "name", "a\u202eb"],
    ["no environment", "environment", undefined],
    ["another environment", "environment", "prod"],
    ["an environment that is a list", "environment", ["live"]],
    ["no scopes", "scopes", undefined],
    ["an empty list of scopes", "scopes", []],
    ["scopes as a text", "scopes", "mail:send"],
    ["33 scopes", "scopes", Array.from({ length: 33 }, () => "mail:send")],
    ["an expiry without an offset", "expires_at", "2999-01-01T00:00:00"],
    ["an expiry that is a date", "expires_at", "2999-01-01"],
    ["an expiry that never was", "expires_at", "2999-02-30T00:00:00Z"],
    ["an expiry before the year 1", "expires_at", "0000-01-01T00:00:00Z"],
    ["an expiry beyond the year 9999", "expires_at", "9999-12-31T23:59:59-01:00"],
    ["an expiry in the past", "expires_at", "2001-01-01T00:00:00Z"],
    ["an expiry that is a number", "expires_at", 32_503_680_000],
  ])("is 422 for %s, naming the field", async (_, field, value) => {
    expect(refusal(await askIssue({ ...wanted, [field]: value }))).toEqual([422, "invalid_request", field]);
  });

  test.each([["a scope there is not", ["mail:read", "mail:rule"]], ["a scope that is a number", [
    "mail:read",
    1,
  ]]])(
    "is 422 for %s, naming its place and every scope there is",
    async (_, given) => {
      const answer = await askIssue({ ...wanted, scopes: given });
      expect(refusal(answer)).toEqual([422, "invalid_request", "scopes[1]"]);
      expect(scopes.filter((scope) => !answer.text.includes(scope))).toEqual([]);
    },
  );

  test("makes a key of no fence and no limit unless it is told", async () => {
    expect((await askIssue(wanted)).body).toMatchObject({
      fences: { sending_domains: null, mailboxes: null, recipient_domains: null, ip_ranges: null },
      limits: { per_minute: null, per_day: null },
      honey: false,
    });
    expect((await askIssue({ ...wanted, fences: {}, limits: {}, honey: false })).body.honey).toBe(false);
  });

  test("answers with fences and limits as they are kept", async () => {
    const { body } = await askIssue({
      ...wanted,
      fences: {
        sending_domains: ["BÜCHER.example", "xn--bcher-kva.example"],
        ip_ranges: ["192.0.2.1", "::ffff:198.51.100.0/120", "2001:DB8::/32"],
      },
      limits: { per_minute: 1, per_day: 1_000_000 },
    });
    expect(body).toMatchObject({
      fences: {
        sending_domains: ["xn--bcher-kva.example"],
        ip_ranges: ["192.0.2.1/32", "198.51.100.0/24", "2001:db8::/32"],
      },
      limits: { per_minute: 1, per_day: 1_000_000 },
    });
  });

  test("makes a honey key that is answered, byte for byte, like one nobody issued", async () => {
    const made = await askIssue({ ...wanted, honey: true });
    expect(made.body.honey).toBe(true);
    const headers = { "x-request-id": "same", "x-forwarded-for": "198.51.100.40" };
    const shown = async (token: string) => {
      const answer = await ask(whoami, "whoami", { token, headers });
      return { status: answer.status, text: answer.text, headers: Object.fromEntries(answer.headers) };
    };
    const honey = await shown(String(made.body.key));
    expect(honey.status).toBe(401);
    expect(honey).toEqual(await shown(mintKey("live").plain));
  });

  test("stores nothing it refused", async () => {
    const sql = api.database.sql("postgres");
    const before = await sql`select count(*) from mailpipe.api_keys`;
    await askIssue({ ...wanted, environment: "test" }, tenant.live);
    await askIssue({ ...wanted, expires_at: "2001-01-01T00:00:00Z" });
    expect(await sql`select count(*) from mailpipe.api_keys`).toEqual(before);
  });
});
