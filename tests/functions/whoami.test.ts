import { afterAll, beforeAll, describe, expect, test } from "vitest";
import whoami from "../../functions/whoami/index.ts";
import { scopes } from "../../shared/access.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, refusal } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { addMember, foundTenant, issue, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;

beforeAll(async () => {
  keepLog();
  api = await startApi();
  tenant = await foundTenant(api);
});
afterAll(() => api.close());

const who = (token: string, headers = {}) => ask(whoami, "whoami", { token, headers });

describe("whoami", () => {
  test("says what a key is, without the key", async () => {
    const expires_at = new Date(Date.now() + 3_600_000).toISOString();
    const { id, key } = await issue(tenant.owner.access_token, { scopes: ["mail:read"], expires_at });
    const answer = await who(key);
    const { organization_id } = tenant;
    const scopes = ["mail:read"];
    const expected = {
      kind: "key",
      id,
      organization_id,
      environment: "live",
      role: null,
      scopes,
      fences: { sending_domains: null, mailboxes: null, recipient_domains: null, ip_ranges: null },
      limits: { per_minute: null, per_day: null },
      expires_at,
    };
    expect(answer.body).toEqual(expected);
    expect((await who(tenant.test)).body).toMatchObject({ environment: "test", expires_at: null });
  });

  test("says who a session is, in the environment it picks", async () => {
    const { organization_id, owner } = tenant;
    const { body } = await who(owner.access_token);
    expect(body).toMatchObject({ kind: "session", id: owner.user_id, organization_id, environment: "live" });
    expect(body).toMatchObject({ role: "owner", scopes, expires_at: null });
    const picked = await who(owner.access_token, { "x-mailpipe-environment": "test" });
    expect(picked.body.environment).toBe("test");
  });

  test("lets a key pick neither organization nor environment", async () => {
    const elsewhere = { "x-mailpipe-environment": "live", "x-organization-id": `org_${"0".repeat(26)}` };
    expect((await who(tenant.test, elsewhere)).body).toMatchObject({
      environment: "test",
      organization_id: tenant.organization_id,
    });
  });

  test("asks a session of several organizations which one it means", async () => {
    const other = await foundTenant(api, "other");
    const member = await addMember(api, tenant, "member");
    await api.database.sql("postgres")`
      insert into mailpipe.members (organization_id, user_id, role)
      values (${other.organization_id}, ${member.user_id}, 'viewer')
    `;
    expect(refusal(await who(member.access_token))).toEqual([400, "organization_required"]);
    const named = await who(member.access_token, { "x-organization-id": other.organization_id });
    expect(named.body).toMatchObject({ organization_id: other.organization_id, role: "viewer" });
  });

  test("costs a key one call to the database and nothing else", async () => {
    api.calls.length = 0;
    await who(tenant.live);
    expect(api.calls).toEqual([{ method: "POST", path: "/rest/v1/rpc/whoami", rpc: "whoami" }]);
  });
});
