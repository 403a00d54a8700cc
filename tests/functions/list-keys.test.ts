import { afterAll, beforeAll, describe, expect, test } from "vitest";
import listKeys from "../../functions/list-keys/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, refusal, rows } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { foundTenant, issue, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;
let other: Tenant;

beforeAll(async () => {
  keepLog();
  api = await startApi();
  [tenant, other] = [await foundTenant(api), await foundTenant(api, "other")];
  // One moment for all of them, so that only the id decides their order.
  await api.database.setClock("2026-05-01T10:00:00.000Z");
  for (let count = 0; count < 24; count++) await issue(tenant.owner.access_token, { scopes: ["mail:read"] });
});
afterAll(() => api.close());

const list = (query = "", token = tenant.owner.access_token, headers = {}) =>
  ask(listKeys, `list-keys${query}`, { token, headers });

describe("list-keys", () => {
  test("never shows a key or a hash", async () => {
    const { text } = await list("?limit=100");
    expect(text).not.toMatch(/mp_live_|mp_test_|"hash"|"key"/);
  });

  test("pages through every key once, newest first, even those of one moment", async () => {
    const seen: string[] = [];
    let next: unknown = "";
    for (let page = 0; page < 10 && next !== null; page++) {
      const answer = await list(`?limit=7${next === "" ? "" : `&cursor=${String(next)}`}`);
      seen.push(...rows(answer).map(({ id }) => String(id)));
      expect(answer.body.has_more).toBe(answer.body.next !== null);
      next = answer.body.next;
    }
    const all = rows(await list("?limit=100")).map(({ id }) => String(id));
    expect(all).toHaveLength(25);
    expect(seen).toEqual(all);
    expect(new Set(seen).size).toBe(25);
  });

  test("goes on from its cursor though newer keys were issued meanwhile", async () => {
    const first = await list("?limit=5");
    const rest = rows(await list(`?limit=100&cursor=${String(first.body.next)}`)).map(({ id }) => id);
    await api.database.setClock("2026-05-01T11:00:00.000Z");
    await issue(tenant.owner.access_token);
    expect(rows(await list(`?limit=100&cursor=${String(first.body.next)}`)).map(({ id }) => id)).toEqual(
      rest,
    );
  });

  test("shows a last page that is exactly full as the last", async () => {
    const count = rows(await list("?limit=100")).length;
    expect((await list(`?limit=${count}`)).body).toMatchObject({ has_more: false, next: null });
    expect((await list(`?limit=${count - 1}`)).body).toMatchObject({ has_more: true });
  });

  test("shows 50 unless asked, and refuses 101", async () => {
    expect(refusal(await list("?limit=101"))).toEqual([422, "invalid_request", "limit"]);
    expect((await list("?limit=100")).status).toBe(200);
  });

  test("shows the caller's organization and environment and nothing else", async () => {
    const live = rows(await list("?limit=100")).map(({ id }) => id);
    const test = rows(await list("", tenant.test)).map(({ id }) => id);
    const theirs = rows(await list("", other.owner.access_token)).map(({ id }) => id);
    expect(test).toHaveLength(1);
    expect(theirs).toHaveLength(1);
    expect(live.filter((id) => test.includes(id) || theirs.includes(id))).toEqual([]);
    const picked = await list("", tenant.owner.access_token, { "x-mailpipe-environment": "test" });
    expect(rows(picked).map(({ id }) => id)).toEqual(test);
  });

  test("takes no other organization's cursor for a way in", async () => {
    const { body } = await list("?limit=1");
    expect(rows(await list(`?limit=100&cursor=${String(body.next)}`, other.live)).length).toBeLessThanOrEqual(
      1,
    );
  });

  test("says when a key is due for rotation: after 90 days, not before, and not once revoked", async () => {
    const { id } = await issue(tenant.owner.access_token);
    const shown = async () => rows(await list("?limit=100")).find((row) => row.id === id);
    await api.database.advanceClock("89 days 23 hours 59 minutes");
    expect(await shown()).toMatchObject({ rotation_due: false, revoked_at: null });
    await api.database.advanceClock("1 minute");
    expect(await shown()).toMatchObject({ rotation_due: true });
    await api.database.sql(
      "postgres",
    )`update mailpipe.api_keys set revoked_at = mailpipe.clock() where id = ${id}`;
    expect(await shown()).toMatchObject({ rotation_due: false, revoked_at: "2026-07-30T11:00:00.000Z" });
  });
});
