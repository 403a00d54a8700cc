import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import issueKey from "../../functions/issue-key/index.ts";
import mailboxes from "../../functions/mailboxes/index.ts";
import { scopes } from "../../shared/access.ts";
import { errorKinds, isErrorCode } from "../../shared/errors.ts";
import { loadProducts } from "../check/product.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { foundTenant, type Tenant } from "../support/tenant.ts";

const repository = resolve(import.meta.dirname, "../..");
const section =
  /\n## API keys\n([^]*?)\n## /.exec(readFileSync(resolve(repository, "README.md"), "utf8"))?.[1] ?? "";

/** Names of scopes in a text, in the order they stand there. */
const scopesIn = (text: string) => [...text.matchAll(/`([a-z]+:[a-z]+)`/g)].map(([, name = ""]) => name);

let api: Api;
let tenant: Tenant;

beforeAll(async () => {
  keepLog();
  api = await startApi();
  tenant = await foundTenant(api);
});
afterAll(() => api.close());

test("the table of scopes names every scope, once and in order", () => {
  const rows = section.split("\n").filter((line) => /^\| `[a-z]+:/.test(line));
  expect(scopesIn(rows.map((row) => row.split("|")[1]).join())).toEqual([...scopes]);
});

test("the scopes that are for calls to come are those no call asks for", async () => {
  const { products } = await loadProducts(repository);
  const routes = products.flatMap((product) => product.routes);
  // Health is open to anybody and tells more to a scope that its summary names.
  const asked = new Set(
    routes.flatMap(({ access, summary }) => "scope" in access ? [access.scope] : scopesIn(summary)),
  );
  const toCome = /For calls to come: ([^.]*)\./.exec(section)?.[1] ?? "";
  expect(scopesIn(toCome)).toEqual(scopes.filter((scope) => !asked.has(scope)));
});

test("every code stands beside the status it comes with", () => {
  const named = [...section.replace(/\s+/g, " ").matchAll(/\b(4\d\d) `([a-z_]+)`/g)];
  expect(named.length).toBeGreaterThanOrEqual(4);
  const known = named.map(([, , code = ""]) => isErrorCode(code) ? errorKinds[code].status : undefined);
  expect(known).toEqual(named.map(([, status]) => Number(status)));
});

test("issue-key takes the body of the example as it stands, and keeps all of it", async () => {
  const body = JSON.parse(/```json\n([^]*?)```/.exec(section)?.[1] ?? "") as {
    expires_at: string;
    fences: { mailboxes: string[] };
  };
  const token = tenant.owner.access_token;
  const [address] = body.fences.mailboxes;
  const mailbox = await ask(mailboxes, "mailboxes", { token, body: { address } });
  // The example is as good on the day before its expiry as on any other.
  await api.database.setClock(new Date(Date.parse(body.expires_at) - 86_400_000).toISOString());
  const issued = await ask(issueKey, "issue-key", { token, body });
  expect([mailbox.status, issued.status], issued.text).toEqual([201, 201]);
  expect(issued.body).toMatchObject({
    ...body,
    expires_at: new Date(body.expires_at).toISOString(),
    fences: { ...body.fences, mailboxes: [mailbox.body.id] },
  });
});

describe("what the operator asks in SQL", () => {
  const sql = () => api.database.sql("postgres");
  const numbers = (text: string) =>
    (text.match(/\d[\d,]*/g) ?? []).map((each) => Number(each.replaceAll(",", "")));

  /** An organization's limits a second, an hour and a day after the tier was set. */
  async function limitsOf(tier: string): Promise<unknown[]> {
    await sql()`select mailpipe.set_tier(${tenant.organization_id}, ${tier})`;
    const [row] = await sql()`
      select per_second, per_hour, per_day from mailpipe.organizations where id = ${tenant.organization_id}
    `;
    return [row?.["per_second"], row?.["per_hour"], row?.["per_day"]];
  }

  test("the tiers are what they are said to be", async () => {
    const [, free = "", pro = ""] = /'free'\)` is\s([^;]*);\s`'pro'`\sis\s([^;]*);/.exec(section) ?? [];
    expect(await limitsOf("free")).toEqual(numbers(free));
    expect(await limitsOf("pro")).toEqual(numbers(pro));
    expect(await limitsOf("none")).toEqual([null, null, null]);
  });

  test("verify_audit finds no fault in a log nobody touched", async () => {
    const asked = /`(select \* from mailpipe\.verify_audit\('org_…'\))`/.exec(section)?.[1] ?? "";
    await sql()`update mailpipe.audit set created_at = created_at - interval '2 hours'`;
    await sql()`select mailpipe.seal_audit()`;
    const ranges = await sql().unsafe(asked.replace("org_…", tenant.organization_id));
    expect(ranges.map((range) => range["fault"])).toEqual([null]);
  });

  test("notices are mailed from an address that one update names", async () => {
    const update = /`(update mailpipe\.settings set notify_from = '([^']*)')`/.exec(section);
    await sql().unsafe(update?.[1] ?? "");
    const [settings] = await sql()`select notify_from from mailpipe.settings`;
    expect(settings?.["notify_from"]).toBe(update?.[2]);
  });
});
