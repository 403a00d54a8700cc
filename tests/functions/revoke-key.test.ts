import { afterAll, beforeAll, describe, expect, test } from "vitest";
import revokeKey from "../../functions/revoke-key/index.ts";
import whoami from "../../functions/whoami/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, refusal } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { foundTenant, issue, type Issued, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;

beforeAll(async () => {
  keepLog();
  api = await startApi();
  tenant = await foundTenant(api);
});
afterAll(() => api.close());

const revoke = (body: unknown, token = tenant.owner.access_token) =>
  ask(revokeKey, "revoke-key", { token, body });
const works = async ({ key }: Issued) => (await ask(whoami, "whoami", { token: key })).status === 200;

/** A key, the key it issued, and the one that issued. */
async function family(): Promise<[Issued, Issued, Issued]> {
  const first = await issue(tenant.owner.access_token);
  const second = await issue(first.key);
  return [first, second, await issue(second.key)];
}

describe("revoke-key", () => {
  test("is refused at the very next call, with the key's answer as for any other unknown one", async () => {
    const key = await issue(tenant.owner.access_token);
    expect(await works(key)).toBe(true);
    expect((await revoke({ id: key.id })).status).toBe(200);
    expect(refusal(await ask(whoami, "whoami", { token: key.key }))).toEqual([401, "invalid_credential"]);
  });

  test("takes along every key the key issued, and theirs", async () => {
    const [first, second, third] = await family();
    const bystander = await issue(tenant.owner.access_token);
    await revoke({ id: first.id });
    expect([await works(first), await works(second), await works(third)]).toEqual([false, false, false]);
    expect(await works(bystander)).toBe(true);
  });

  test("leaves the issuer alone when a child falls, and the children when told to", async () => {
    const [first, second, third] = await family();
    await revoke({ id: second.id, descendants: false });
    expect([await works(first), await works(second), await works(third)]).toEqual([true, false, true]);
    await revoke({ id: first.id });
    expect(await works(third)).toBe(false);
  });

  test("gives the first time again when repeated", async () => {
    const { id } = await issue(tenant.owner.access_token);
    const first = await revoke({ id });
    expect((await revoke({ id })).body).toEqual(first.body);
  });

  test("lets a key revoke itself", async () => {
    const key = await issue(tenant.owner.access_token);
    expect((await revoke({ id: key.id }, key.key)).status).toBe(200);
    expect(await works(key)).toBe(false);
  });

  test("is 404 for a key of another organization or environment, which goes on working", async () => {
    const other = await foundTenant(api, "other");
    const theirs = await issue(other.owner.access_token);
    const ofTest = await issue(tenant.owner.access_token, { environment: "test" });
    expect(refusal(await revoke({ id: theirs.id }))).toEqual([404, "not_found"]);
    expect(refusal(await revoke({ id: ofTest.id }, tenant.live))).toEqual([404, "not_found"]);
    expect([await works(theirs), await works(ofTest)]).toEqual([true, true]);
  });

  test("writes each key that fell into the audit log, once", async () => {
    const [first, second, third] = await family();
    await revoke({ id: first.id });
    await revoke({ id: first.id });
    const lines = await api.database.sql("postgres")<{ subject_id: string; actor_id: string }[]>`
      select subject_id, actor_id from mailpipe.audit where action = 'key.revoked'
    `;
    const ours = [first.id, second.id, third.id];
    expect(lines.filter(({ subject_id }) => ours.includes(subject_id)).map(({ actor_id }) => actor_id))
      .toEqual([
        tenant.owner.user_id,
        tenant.owner.user_id,
        tenant.owner.user_id,
      ]);
  });

  test.each([
    ["no id", { id: undefined }, "id"],
    ["an id of something else", { id: `msg_${"0".repeat(26)}` }, "id"],
    ["an id with a letter ids do not have", { id: `key_${"U".repeat(26)}` }, "id"],
    ["an id that is a key", { id: `mp_live_${"a".repeat(38)}` }, "id"],
    ["an id with a line break", { id: `key_${"0".repeat(26)}\n` }, "id"],
    ["descendants as a text", { id: `key_${"0".repeat(26)}`, descendants: "no" }, "descendants"],
  ])("is 422 for %s", async (_, body, path) => {
    expect(refusal(await revoke(body))).toEqual([422, "invalid_request", path]);
  });
});
