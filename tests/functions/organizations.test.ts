import { afterAll, beforeAll, describe, expect, test } from "vitest";
import issueKey from "../../functions/issue-key/index.ts";
import deliverMail from "../../functions/deliver-mail/index.ts";
import organizations from "../../functions/organizations/index.ts";
import sendMail from "../../functions/send-mail/index.ts";
import { type Api, type Session, signUp, startApi } from "../support/api.ts";
import { type Answer, ask, refusal, rows } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { addMember, foundTenant, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;
let stranger: Session;

beforeAll(async () => {
  keepLog();
  api = await startApi();
  tenant = await foundTenant(api);
  stranger = await signUp(api, "stranger@elsewhere.example");
});
afterAll(() => api.close());

const found = (body: unknown, session = stranger) =>
  ask(organizations, "organizations", { token: session.access_token, body });
const list = (session: Session, query = "") =>
  ask(organizations, `organizations${query}`, { token: session.access_token });
const allow = (value: string) =>
  api.database.sql("postgres")`update mailpipe.settings set organization_creation = ${value}`;

describe("organizations", () => {
  test("cannot be founded by whoever has a session, unless the operator opened that", async () => {
    const answer = await found({ name: "Mine" });
    expect(refusal(answer)).toEqual([403, "organization_creation_closed"]);
    expect(answer.body.hint).toContain("mailpipe.create_organization");
    expect(rows(await list(stranger))).toEqual([]);
  });

  test("can be founded where it is open, and the founder owns hers and can use it at once", async () => {
    await allow("open");
    const answer = await found({ name: "  Mine  " });
    await allow("closed");
    expect(answer).toMatchObject({ status: 201, body: { name: "Mine", role: "owner" } });
    expect(rows(await list(stranger))).toEqual([answer.body]);
    const body = { name: "k", environment: "live", scopes: ["data:delete"] };
    expect((await ask(issueKey, "issue-key", { token: stranger.access_token, body })).status).toBe(201);
    expect(refusal(await found({ name: "Another" }))).toEqual([403, "organization_creation_closed"]);
  });

  test("are shown to their members only, each with the member's own role", async () => {
    const viewer = await addMember(api, tenant, "viewer");
    expect(rows(await list(viewer))).toMatchObject([{ id: tenant.organization_id, role: "viewer" }]);
    expect(rows(await list(tenant.owner))).toMatchObject([{ id: tenant.organization_id, role: "owner" }]);
  });

  test("page by cursor, each once", async () => {
    await allow("open");
    const founder = await signUp(api, "founder@elsewhere.example");
    for (const name of ["one", "two", "three"]) await found({ name }, founder);
    await allow("closed");
    const first = await list(founder, "?limit=2");
    const second = await list(founder, `?limit=2&cursor=${String(first.body.next)}`);
    expect([first.body.has_more, second.body.has_more, second.body.next]).toEqual([true, false, null]);
    const names = [...rows(first), ...rows(second)].map(({ name }) => name);
    expect(names.sort()).toEqual(["one", "three", "two"]);
  });

  test.each<[string, unknown]>([
    ["no name", undefined],
    ["an empty name", ""],
    ["a name that is a number", 1],
    ["a name that is null", null],
    ["a name of 201 characters", "n".repeat(201)],
    ["a name with a line break", "a\nb"],
    ["a name with NUL", "a\0"],
    ["a name with half a character", "\udc00"],
  ])("are refused with %s", async (_, name) => {
    expect(refusal(await found({ name }))).toEqual([422, "invalid_request", "name"]);
  });

  test("are founded for nobody by an address nobody signed up with", async () => {
    const call = api.database.sql("postgres")`select mailpipe.create_organization('X', 'nobody@x.example')`;
    await expect(call).rejects.toThrow("no user signed up as nobody@x.example");
  });

  test("cannot be founded over SQL by any role a request has", async () => {
    for (const role of ["anon", "authenticated", "service_role"] as const) {
      const call = api.database.sql(role)`select mailpipe.create_organization('X', 'owner@acme.example')`;
      await expect(call).rejects.toThrow("permission denied");
    }
  });
});

describe("PATCH organizations/{id}", () => {
  const patch = (id: string, body: unknown, token: string, headers = {}) =>
    ask(organizations, `organizations/${id}`, { method: "PATCH", token, body, headers });
  const test_mail = { from: "a@acme.example", to: ["b@example.net"], subject: "s", text: "t" };
  const sweep = async () =>
    (await ask(deliverMail, "deliver-mail", { headers: { apikey: api.secretKey }, body: {} })).body.done;

  test("pauses every claim of its mail, keeps the queue, and lets it go on", async () => {
    const paused = await foundTenant(api, "paused");
    const other = await foundTenant(api, "running");
    const { organization_id, owner } = paused;
    const answer = await patch(organization_id, { sending_paused: true }, owner.access_token);
    expect(answer.body).toMatchObject({ id: organization_id, sending_paused: true, role: "owner" });
    await sweep();
    const sent = await ask(sendMail, "send-mail", { token: paused.test, body: test_mail });
    expect(sent).toMatchObject({ status: 202, body: { status: "queued" } });
    const waited = await ask(sendMail, "send-mail", {
      token: paused.test,
      body: { ...test_mail, wait: true },
    });
    expect(waited).toMatchObject({ status: 202, body: { status: "queued" } });
    await ask(sendMail, "send-mail", { token: other.test, body: test_mail });
    expect(await sweep()).toBe(1);
    await api.database.sql("postgres")`select mailpipe.wake_workers()`;
    await patch(organization_id, { sending_paused: false }, owner.access_token);
    expect(await sweep()).toBe(2);
  });

  test("leaves what another changes at that moment, and its name out of the audit log", async () => {
    const { organization_id, owner } = await foundTenant(api, "busy");
    const sql = api.database.sql("postgres");
    let answer: Promise<Answer> | undefined;
    await sql.begin(async (other) => {
      await other`update mailpipe.organizations set name = 'Renamed' where id = ${organization_id}`;
      answer = patch(organization_id, { sending_paused: true }, owner.access_token);
      const waiting = () =>
        sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      await expect.poll(async () => (await waiting()).length).toBe(1);
    });
    expect((await answer)?.body).toMatchObject({ name: "Renamed", sending_paused: true });
    await patch(organization_id, { name: "Renamed again" }, owner.access_token);
    const lines = await sql`
      select detail from mailpipe.audit
      where organization_id = ${organization_id} and action = 'organization.changed' order by position
    `;
    expect(lines.map(({ detail }) => detail)).toEqual([{ sending_paused: true }, {}]);
  });

  test("is for an owner or admin of that organization, whatever the header names", async () => {
    const mine = await foundTenant(api, "mine");
    const theirs = await foundTenant(api, "theirs");
    const admin = await addMember(api, mine, "admin");
    expect((await patch(mine.organization_id, { name: "Ours" }, admin.access_token)).body.name).toBe("Ours");
    expect(refusal(await patch(mine.organization_id, { audit_retention_days: 90 }, admin.access_token)))
      .toEqual([
        403,
        "role_missing",
      ]);
    const lured = { "x-organization-id": mine.organization_id };
    const foreign = await patch(theirs.organization_id, { name: "Mine" }, mine.owner.access_token, lured);
    expect(refusal(foreign)).toEqual([404, "not_found"]);
    for (const role of ["member", "viewer"]) {
      const { access_token } = await addMember(api, mine, role);
      expect(refusal(await patch(mine.organization_id, { name: "x" }, access_token))).toEqual([
        403,
        "role_missing",
      ]);
    }
    expect(refusal(await patch(mine.organization_id, { name: "x" }, mine.live))).toEqual([
      403,
      "session_required",
    ]);
  });

  test.each<[string, unknown, string]>([
    ["nothing to change", {}, ""],
    ["a pause that is a text", { sending_paused: "yes" }, "sending_paused"],
    ["a name with a line break", { name: "a\nb" }, "name"],
    ["a tier", { name: "x", per_day: 5 }, "per_day"],
    ["an id", { name: "x", id: "org_00000000000000000000000000" }, "id"],
  ])("is 422 for %s", async (_, body, path) => {
    const { organization_id, owner } = tenant;
    expect(refusal(await patch(organization_id, body, owner.access_token))).toEqual([
      422,
      "invalid_request",
      path,
    ]);
  });
});
