import { readFileSync } from "node:fs";
import { PostgrestClient } from "@supabase/postgrest-js";
import { StorageClient } from "@supabase/storage-js";
import postgres, { type Sql } from "postgres";
import { type Api, type Session, signUp } from "../support/api.ts";
import type { TestDatabase, TestRole } from "../support/database.ts";

const script = (name: string) => readFileSync(new URL(name, import.meta.url), "utf8");

/** Puts the shop into an empty project. Its event trigger goes in as hosted lets `postgres` make one: as a superuser. */
export async function openShop(database: TestDatabase): Promise<void> {
  await database.sql("postgres").unsafe(script("host-app.sql"));
  await database.sql("supabase_admin").unsafe(`
    create table shop.changes (tag text not null, object text);
    create function shop.note_change() returns event_trigger language plpgsql security definer as $$
    begin
        insert into shop.changes
        select command_tag, object_identity
        from pg_event_trigger_ddl_commands()
        where schema_name = 'shop';
    end; $$;
    create event trigger shop_changes on ddl_command_end when tag in ('CREATE TABLE') execute function shop.note_change();
  `);
}

/** Installs the shop's next release. */
export async function releaseAgain(database: TestDatabase): Promise<void> {
  await database.sql("postgres").unsafe(script("host-app-later.sql"));
}

/** A connection of the role the shop's own server logs in as, with the password the shop gave it. */
export function asBackend(database: TestDatabase): Sql {
  const url = new URL(database.url);
  url.username = "shop_backend";
  url.password = "of-the-shop";
  return postgres(url.href, { max: 1, onnotice: () => {} });
}

/** What a statement answers, or the SQLSTATE it is refused with. Rolled back, so it can be asked again. */
export async function verdict(sql: Sql, statement: string, sub?: string): Promise<unknown> {
  let answer: unknown;
  await sql.begin(async (transaction) => {
    const claims = sub === undefined ? "" : JSON.stringify({ sub, role: "authenticated" });
    await transaction`select set_config('request.jwt.claims', ${claims}, true)`;
    answer = await transaction.unsafe(statement);
    throw new Error("undone");
  }).catch((error: { code?: string }) => void (answer ??= error.code));
  return answer;
}

// Who bypasses row-level security sees our bucket beside the shop's.
const theirs = "bucket_id <> 'mailpipe'";

const statements = [
  "select * from public.profiles order by handle",
  "insert into public.profiles (id, handle) values (gen_random_uuid(), 'eve')",
  "select id, title, price from public.products order by id",
  "select * from public.products order by id",
  "select cost from public.products order by id",
  "insert into public.products (title, price) values ('Cup', 1) returning title",
  "update public.products set price = 1 where id = 1 returning price",
  "select product_id, state, note from public.orders order by id",
  "insert into public.orders (product_id) values (2) returning product_id, state",
  "insert into public.orders (buyer, product_id) values (gen_random_uuid(), 2)",
  "update public.orders set state = 'paid' returning state",
  "delete from public.orders returning state",
  "select * from public.price_list order by id",
  "select amount from shop.ledger order by id",
  "insert into shop.ledger (order_id, amount) values (1, 5) returning amount",
  "insert into shop.ledger (order_id, amount) values (1, -5)",
  "select * from shop.sales",
  "refresh materialized view shop.sales",
  "select public.place_order(1) is not null as placed",
  "select public.revenue()",
  "select public.find_products('tea pot')",
  "select public.settings_seen()",
  "select null::public.order_state",
  "select nextval('public.orders_id_seq') is not null as counted",
  "select auth.uid()",
  "select count(*)::int from auth.users",
  `select bucket_id, name from storage.objects where ${theirs} order by bucket_id, name`,
  "insert into storage.objects (bucket_id, name) values ('avatars', auth.uid() || '/x.png') returning bucket_id",
  "insert into storage.objects (bucket_id, name) values ('avatars', auth.uid() || '/x.exe') returning bucket_id",
  "insert into storage.objects (bucket_id, name) values ('avatars', 'x.png')",
  `update storage.objects set name = name || '.old' where ${theirs} returning bucket_id`,
  "update storage.objects set bucket_id = 'receipts' where bucket_id = 'avatars' returning bucket_id",
  "select id, public from storage.buckets where id <> 'mailpipe' order by id",
  "create table shop.made_here (id int)",
  "create table public.made_here (id int)",
  "create temporary table made_here (id int)",
  "create schema made_here",
];

/** What is asked of the shop's next release. */
export const laterStatements = [
  "select body from public.reviews",
  "insert into public.reviews (body) values ('good') returning body",
  "insert into shop.refunds (amount) values (1)",
  "select amount from shop.refunds",
  "select nextval('public.invoice_numbers') is not null as counted",
  "select nextval('shop.parcel_numbers') is not null as counted",
  "select public.rate('good')",
  "select null::shop.parcel",
  "select public.count_refunds()",
  "select * from blog.posts",
  "select * from blog.tags",
  "select blog.latest()",
  "select * from public.loud_products order by title",
  "select * from shop.changes order by object",
];

const roles = ["anon", "authenticated", "service_role", "authenticator", "postgres"] as const;

/** What each role of the project, and the shop's own, is answered to each statement, in SQL. */
export async function askDatabase(
  database: TestDatabase,
  shopper: string,
  asked: string[] = statements,
): Promise<Record<string, unknown>> {
  const backend = asBackend(database);
  const clients: [TestRole | "shop_backend", Sql][] = [
    ...roles.map((role) => [role, database.sql(role)] as [TestRole, Sql]),
    ["shop_backend", backend],
  ];
  const answers: Record<string, unknown> = {};
  for (const [role, sql] of clients) {
    for (const statement of asked) {
      const sub = role === "authenticated" ? shopper : undefined;
      answers[`${role}: ${statement}`] = await verdict(sql, statement, sub);
    }
  }
  await backend.end();
  return answers;
}

type Caller = [name: string, credential: string, apikey: string];

function callers(api: Api, session: Session): Caller[] {
  return [
    ["anon", api.publishableKey, api.publishableKey],
    ["authenticated", session.access_token, api.publishableKey],
    ["service_role", api.secretKey, api.secretKey],
  ];
}

const headersOf = ([, credential, apikey]: Caller) => ({ apikey, authorization: `Bearer ${credential}` });

/** What PostgREST answers the shop's clients: reading, embedding, writing and its functions. */
export async function askRest(api: Api, session: Session): Promise<Record<string, unknown>> {
  const answers: Record<string, unknown> = {};
  for (const caller of callers(api, session)) {
    const rest = new PostgrestClient(`${api.url}/rest/v1`, { headers: headersOf(caller) });
    const asked = {
      products: rest.from("products").select("title,price").order("id"),
      costs: rest.from("products").select("title,cost").order("id"),
      prices: rest.from("price_list").select().order("id"),
      orders: rest.from("orders").select("state,note,products(title)").order("id"),
      profiles: rest.from("profiles").select("handle").order("handle"),
      search: rest.rpc("find_products", { wanted: "tea pot" }),
      revenue: rest.rpc("revenue"),
      settings: rest.rpc("settings_seen"),
      cheaper: rest.from("products").update({ price: 2400 }).eq("id", 1).select("price"),
      renamed: rest.from("orders").update({ note: "wrapped" }).eq("product_id", 1).select("note"),
    };
    for (const [name, question] of Object.entries(asked)) {
      const { data, error, status } = await question;
      answers[`${caller[0]}: ${name}`] = { data, code: error?.code, status };
    }
  }
  return answers;
}

/** What Storage answers the shop's clients in the shop's buckets; what is written is removed again. */
export async function askStorage(api: Api, session: Session): Promise<Record<string, unknown>> {
  const answers: Record<string, unknown> = {};
  const own = session.user_id;
  for (const caller of callers(api, session)) {
    for (const bucket of ["avatars", "receipts"]) {
      const files = new StorageClient(`${api.url}/storage/v1`, headersOf(caller)).from(bucket);
      const written = await files.upload(`${own}/new.txt`, new TextEncoder().encode("new"), {
        contentType: "text/plain",
      });
      const listed = await files.list(own);
      const signed = await files.createSignedUrl(`${own}/kept.txt`, 60);
      answers[`${caller[0]}: ${bucket}`] = {
        written: written.error?.message ?? written.data?.path,
        listed: listed.data?.map(({ name }) => name) ?? listed.error,
        read: await (await files.download(`${own}/kept.txt`)).data?.text(),
        opened: signed.data && await (await fetch(signed.data.signedUrl)).text(),
        forbidden: (await files.upload("other/new.exe", "x")).error === null,
        removed: (await files.remove([`${own}/new.txt`, "other/new.exe"])).data?.map(({ name }) => name),
      };
    }
  }
  return answers;
}

/** A user of the shop with an order and a file in each of its buckets. */
export async function shopUser(api: Api, email: string, password: string): Promise<Session> {
  const session = await signUp(api, email, password);
  const [, shopper, server] = callers(api, session) as [Caller, Caller, Caller];
  const placed = await new PostgrestClient(`${api.url}/rest/v1`, { headers: headersOf(shopper) })
    .rpc("place_order", { product: 1, note: "wrapped" });
  if (placed.error) throw new Error(`the shop takes no orders: ${placed.error.message}`);
  for (const bucket of ["avatars", "receipts"]) {
    const files = new StorageClient(`${api.url}/storage/v1`, headersOf(server)).from(bucket);
    await files.upload(`${session.user_id}/kept.txt`, new TextEncoder().encode(bucket), {
      contentType: "text/plain",
    });
  }
  return session;
}
