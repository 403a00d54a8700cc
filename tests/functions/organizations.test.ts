import { afterAll, beforeAll, describe, expect, test } from "vitest";
import issueKey from "../../functions/issue-key/index.ts";
import organizations from "../../functions/organizations/index.ts";
import { type Api, type Session, signUp, startApi } from "../support/api.ts";
import { ask, refusal, rows } from "../support/ask.ts";
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
