import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { pushMigrations } from "../../supabase/local/migrate.ts";
import { footprint, missing } from "../database/footprint.ts";
import { functionRules } from "../database/function-rules.ts";
import { policyRules } from "../database/policy-rules.ts";
import { privilegeRules } from "../database/privilege-rules.ts";
import { tableRules } from "../database/table-rules.ts";
import { signIn } from "../database/tenant.ts";
import { type Api, type Session, signInAgain, signUp, startApi } from "../support/api.ts";
import { cloneDatabase, openDatabase, type Template, type TestDatabase } from "../support/database.ts";
import { type RunningServer, startTestServer } from "../support/test-server.ts";
import {
  askDatabase,
  askRest,
  askStorage,
  laterStatements,
  openShop,
  releaseAgain,
  shopUser,
  verdict,
} from "./shop.ts";

let running: RunningServer;
const open: TestDatabase[] = [];

// A server of its own, which never saw a migration of ours: elsewhere roles are already as these left them.
beforeAll(async () => {
  running = await startTestServer("untouched", inject("evidence"));
});
afterAll(async () => {
  for (const database of open) await database.close();
  await running?.stop();
});

const look = (database: TestDatabase) => footprint(database.sql("supabase_admin"));

/** A project with the shop in it, and nothing else. */
async function shopIn(template: Template): Promise<TestDatabase> {
  const database = await cloneDatabase(template, running.server);
  open.push(database);
  await openShop(database);
  return database;
}

/** The same project over new connections: settings of a role hold from the next one on. */
function reconnected({ name }: TestDatabase): TestDatabase {
  const database = openDatabase(name, running.server);
  open.unshift(database);
  return database;
}

const ours = [
  "bucket | mailpipe | f",
  "policy | storage.buckets | mailpipe: nobody changes our bucket with a browser's token | RESTRICTIVE" +
  " | {public} | ALL | (id <> 'mailpipe'::text) | (id <> 'mailpipe'::text)",
  "policy | storage.objects | mailpipe: nobody reaches our bucket with a browser's token | RESTRICTIVE" +
  " | {public} | ALL | (bucket_id IS DISTINCT FROM 'mailpipe'::text) | (bucket_id IS DISTINCT FROM 'mailpipe'::text)",
  "vault | mailpipe_master_key_v1_<uuid>",
  "vault | mailpipe_worker_secret",
];

describe("promise 11: installed into a project that holds another app, nothing of that app changes", () => {
  let beside: TestDatabase;
  let api: Api;
  let session: Session;
  let before: { lines: string[]; sql: unknown; rest: unknown; storage: unknown };

  beforeAll(async () => {
    beside = await shopIn("hosted");
    api = await startApi(beside);
    session = await shopUser(api, "ada@example.com", "of-ada");
    before = {
      sql: await askDatabase(reconnected(beside), session.user_id),
      rest: await askRest(api, session),
      storage: await askStorage(api, session),
      lines: await look(beside),
    };
    await pushMigrations(beside.url);
  });
  afterAll(() => api?.close());

  test("every privilege, owner, setting, role, policy, function and trigger is as it was", async () => {
    const afterwards = await look(beside);
    expect(missing(before.lines, afterwards)).toEqual([]);
    expect(missing(afterwards, before.lines)).toEqual(ours);
  });

  test("each role, the app's own too, is answered as before in SQL", async () => {
    // Mail of ours, which no answer may show.
    await beside.sql(
      "postgres",
    )`insert into storage.objects (bucket_id, name) values ('mailpipe', 'org/live/ours')`;
    expect(await askDatabase(reconnected(beside), session.user_id)).toEqual(before.sql);
  });

  test("its clients are answered as before by PostgREST, which went on through it or was started since", async () => {
    expect(await askRest(api, session)).toEqual(before.rest);
    const since = await startApi(reconnected(beside));
    const again = await signInAgain(since, "ada@example.com", "of-ada");
    const answers = await askRest(since, again);
    await since.close();
    expect(answers).toEqual(before.rest);
  });

  test("its files are read, written, listed, linked and removed as before", async () => {
    expect(await askStorage(api, session)).toEqual(before.storage);
  });

  test("who signs up gets her profile from the app's trigger, and who is deleted takes it along", async () => {
    const profiles = () =>
      beside.sql("postgres")`select handle::text from public.profiles where handle = 'bob'`;
    const { user_id } = await signUp(api, "bob@example.com");
    expect(await profiles()).toEqual([{ handle: "bob" }]);
    await beside.sql("supabase_admin")`delete from auth.users where id = ${user_id}`;
    expect(await profiles()).toEqual([]);
  });

  test.each([...privilegeRules, ...tableRules, ...policyRules, ...functionRules])(
    "and of ours, beside it: $sentence",
    async ({ query }) => {
      expect(await beside.sql("postgres").unsafe(query)).toEqual([]);
    },
  );

  test("its next release gets the privileges it would have got alone, and is answered the same", async () => {
    const alone = await shopIn("hosted");
    const [lines, linesAlone] = [await look(beside), await look(alone)];
    for (const database of [alone, beside]) await releaseAgain(database);
    const [later, laterAlone] = [await look(beside), await look(alone)];
    expect(missing(later, lines)).toEqual(missing(laterAlone, linesAlone));
    expect(missing(lines, later)).toEqual(missing(linesAlone, laterAlone));
    expect(missing(later, laterAlone)).toEqual(ours);
    expect(missing(laterAlone, later)).toEqual([]);
    const ask = (database: TestDatabase) => askDatabase(database, session.user_id, laterStatements);
    expect(await ask(reconnected(beside))).toEqual(await ask(reconnected(alone)));
  });
});

test("promise 11 where pg_cron and pg_net are: our two jobs are all that comes beside theirs", async () => {
  const database = await shopIn("hosted_scheduler");
  await database.sql(
    "postgres",
  )`select cron.schedule('shop-nightly', '0 3 * * *', 'select public.revenue()')`;
  const before = await look(database);
  await pushMigrations(database.url);
  const afterwards = await look(database);
  expect(missing(before, afterwards)).toEqual([]);
  expect(missing(afterwards, before).filter((line) => !line.startsWith("job | mailpipe-wake-"))).toEqual(
    ours,
  );
});

test("beside an app that grants everything it makes to everyone, what is ours is out of reach all the same", async () => {
  const database = await cloneDatabase("hosted", running.server);
  open.push(database);
  const everything = ["tables", "sequences", "functions", "types", "schemas"].map((kind) =>
    `alter default privileges grant all on ${kind} to anon, authenticated, service_role;`
  );
  await database.sql("postgres").unsafe(everything.join("\n"));
  await pushMigrations(database.url);
  for (const role of ["anon", "authenticated", "service_role"] as const) {
    for (
      const statement of [
        "select from mailpipe.api_keys",
        "truncate mailpipe.audit",
        "select nextval('mailpipe.audit_position_seq')",
        "select mailpipe.create_data_key('org_1')",
        "create table mailpipe.made_here (id int)",
        "create table mailpipe_api.made_here (id int)",
      ]
    ) {
      expect([role, statement, await verdict(database.sql(role), statement)]).toEqual([
        role,
        statement,
        "42501",
      ]);
    }
  }
});

describe("none of this would pass unseen", () => {
  test.each([
    [
      "alter role shop_backend set search_path = public",
      "setting | shop_backend",
      "shop_backend: select public.settings_seen()",
    ],
    [
      "alter role authenticator set lock_timeout = '1s'",
      "setting | authenticator",
      "authenticator: select public.settings_seen()",
    ],
    [
      "grant select on shop.ledger to service_role; grant usage on schema shop to service_role",
      "relation | shop.ledger",
      "service_role: select amount from shop.ledger order by id",
    ],
    [
      "create table shop.products (title text)",
      "relation | shop.products",
      "shop_backend: select public.find_products('tea pot')",
    ],
    [
      "create policy ours on storage.objects as restrictive using (bucket_id = 'mailpipe')",
      "policy | storage.objects | ours",
      "authenticated: insert into storage.objects (bucket_id, name) values ('avatars', auth.uid() || '/x.png') returning bucket_id",
    ],
  ])("%s", async (statement, line, question) => {
    const database = await shopIn("hosted");
    const { user_id } = await signIn(database, "ada@example.com");
    const ask = () => askDatabase(reconnected(database), user_id, [question.replace(/^\w+: /, "")]);
    const [lines, answers] = [await look(database), await ask()];
    await database.sql("supabase_admin").unsafe(statement);
    expect(missing(await look(database), lines).join("\n")).toContain(line);
    expect((await ask())[question]).not.toEqual(answers[question]);
  });
});
