import { afterAll, beforeAll, describe, expect, test } from "vitest";
import runMaintenance from "../../functions/run-maintenance/index.ts";
import sendMail from "../../functions/send-mail/index.ts";
import { storeBytes } from "../../shared/storage.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { foundTenant, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;
const mail = { from: "a@s.example", to: ["b@r.example"], subject: "s", text: "t" };

beforeAll(async () => {
  keepLog();
  api = await startApi();
  tenant = await foundTenant(api);
  await api.database.setClock(new Date().toISOString());
});
afterAll(() => api.close());

const maintain = async () =>
  (await ask(runMaintenance, "run-maintenance", { headers: { apikey: api.secretKey }, body: {} })).body;
const send = (key: string, body: object = mail) =>
  ask(sendMail, "send-mail", { token: tenant.test, body, headers: { "idempotency-key": key } });

describe("run-maintenance", () => {
  test("forgets an idempotency key after 24 hours, and not before", async () => {
    const first = await send("k");
    await api.database.advanceClock("23 hours 59 minutes 59 seconds");
    expect(await maintain()).toMatchObject({ idempotency_records: 0 });
    expect((await send("k")).body).toEqual(first.body);
    await api.database.advanceClock("1 second");
    expect(await maintain()).toMatchObject({ idempotency_records: 1 });
    expect((await send("k")).body.id).not.toBe(first.body.id);
  });

  test("flushes what every key used, however many there are", async () => {
    const sql = api.database.sql("postgres");
    await sql`
      with made as (
        insert into mailpipe.api_keys (
          id, organization_id, environment, name, hash, last_four, scopes, window_id
        )
        select 'key_many' || n, ${tenant.organization_id}, 'test', 'n', sha256(convert_to('many' || n, 'UTF8')), 'abcd',
          '{mail:read}', 'w'
        from generate_series(1, 1500) as n
        returning id
      )
      insert into mailpipe.key_uses (key_id, slot, used, refused)
      select made.id, slot, 1, 0 from made cross join generate_series(0, 15) as slot
    `;
    await maintain();
    const [row] = await sql`
      select
        (select count(*)::int from mailpipe.key_uses) as waiting,
        (select sum(used)::int from mailpipe.key_usage where starts_with(key_id, 'key_many')) as kept
    `;
    expect(row).toEqual({ waiting: 0, kept: 24_000 });
  });

  test("removes bytes no row points at after a day, and no others", async () => {
    const attachments = [{ filename: "a", content: "a2VwdA==" }];
    expect((await send("bytes", { ...mail, attachments })).status).toBe(202);
    const { organization_id } = tenant;
    const { key } = await storeBytes(
      { organization_id, environment: "test" },
      new TextEncoder().encode("lost"),
    );
    const names = async () => {
      const objects = await api.database.sql("postgres")<
        { name: string }[]
      >`select name from storage.objects`;
      return objects.map(({ name }) => name);
    };
    expect(await names()).toHaveLength(2);
    expect(await maintain()).toMatchObject({ orphan_objects: 0 });
    await api.database.advanceClock("25 hours");
    expect(await maintain()).toMatchObject({ orphan_objects: 1 });
    expect(await names()).toHaveLength(1);
    expect(await names()).not.toContain(key);
    expect(await maintain()).toEqual({
      idempotency_records: 0,
      orphan_objects: 0,
      used_keys: 0,
      rate_windows: 0,
      keys_due: 0,
      sealed_ranges: 0,
      dropped_ranges: 0,
      messages: 0,
      raw_mail: 0,
      events: 0,
      attempts: 0,
      copies: 0,
      removed_deliveries: 0,
    });
  });
});
