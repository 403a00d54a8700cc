import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cloneDatabase, type TestDatabase } from "../support/database.ts";
import { foundTenant, send, type Tenant } from "./tenant.ts";

let database: TestDatabase;
let owner: Sql;
let acme: Tenant;
let zeta: Tenant;

beforeAll(async () => {
  database = await cloneDatabase();
  await database.setClock("2026-03-01T12:00:00Z");
  owner = database.sql("postgres");
  [acme, zeta] = [await foundTenant(database, "Acme"), await foundTenant(database, "Zeta")];
});
afterAll(() => database.close());

/** A mail sent to ada@example.com; its thread and what a reply would cite. */
async function conversation(subject: string, tenant = acme) {
  const id = await send(database.sql("service_role"), tenant.live, subject);
  const [message] = await owner<{ thread_id: string; message_id_header: string }[]>`
    select thread_id, message_id_header from mailpipe.messages where id = ${id}
  `;
  return { id, thread: message?.thread_id ?? "", cited: message?.message_id_header ?? "" };
}

/** The thread a mail would join, or null where it begins one. */
async function found(
  {
    cited = [],
    subject = "Hello",
    sender = "ada@example.com",
    organization = acme.organization_id,
    environment = "live",
  }: { cited?: string[]; subject?: string; sender?: string; organization?: string; environment?: string },
): Promise<string | null> {
  const [row] = await owner<{ thread: string | null }[]>`
    select mailpipe.find_thread(${organization}, ${environment}, ${cited}, ${subject}, ${sender}) as thread
  `;
  return row?.thread ?? null;
}

describe("the subject a conversation is known by", () => {
  test.each([
    ["Re: Hello", "hello"],
    ["RE: FW: re: Hello", "hello"],
    ["Re[2]: Hello", "hello"],
    ["AW: WG: Hello", "hello"],
    ["Sv: Vs: Hello", "hello"],
    ["  re :  Hello   there ", "hello there"],
    ["Fwd: Rechnung: März", "rechnung: märz"],
    ["Regarding: Hello", "regarding: hello"],
    ["Hello Re: you", "hello re: you"],
    ["re:", ""],
    ["", ""],
    ["x".repeat(2000), "x".repeat(998)],
  ])("of %j is %j", async (subject, expected) => {
    expect(await owner`select mailpipe.subject_key(${subject}) as key`).toEqual([{ key: expected }]);
  });
});

describe("a mail joins the thread", () => {
  test("of the message it cites, whatever its subject says", async () => {
    const first = await conversation("Order 1");
    expect(
      await found({ cited: ["unknown@x", first.cited], subject: "Something else", sender: "eve@x.example" }),
    )
      .toBe(first.thread);
  });

  test("of the message whose id the provider put in place of ours", async () => {
    const { id, thread } = await conversation("Order 2");
    await owner`
      update mailpipe.messages set rewritten_message_id = 'rewritten@ses.example', provider_message_id = 'prov-2'
      where id = ${id}
    `;
    expect(await found({ cited: ["rewritten@ses.example"], subject: "x", sender: "eve@x.example" })).toBe(
      thread,
    );
    expect(await found({ cited: ["prov-2"], subject: "x", sender: "eve@x.example" })).toBe(thread);
  });

  test("of the newest message where it cites several", async () => {
    const old = await conversation("Order 3");
    await database.advanceClock("1 minute");
    const recent = await conversation("Order 4");
    expect(await found({ cited: [old.cited, recent.cited] })).toBe(recent.thread);
  });

  test("of its subject, when it says it is a reply and its sender took part", async () => {
    const { thread } = await conversation("Order 5");
    expect(await found({ subject: "Re: order 5" })).toBe(thread);
    expect(await found({ subject: "Re: order 5", sender: "ADA@example.com" })).toBe(thread);
  });

  test("of a subject used before only for thirty days", async () => {
    const { thread } = await conversation("Order 6");
    await database.advanceClock("29 days 23 hours");
    expect(await found({ subject: "Re: Order 6" })).toBe(thread);
    await database.advanceClock("1 hour");
    expect(await found({ subject: "Re: Order 6" })).toBeNull();
  });
});

describe("a mail begins a thread", () => {
  test("when it has the subject of another and does not say it is a reply", async () => {
    await conversation("Invoice");
    expect(await found({ subject: "Invoice" })).toBeNull();
    expect(await found({ subject: " invoice " })).toBeNull();
  });

  test("when it claims to be a reply and its sender never took part", async () => {
    await conversation("Order 7");
    expect(await found({ subject: "Re: Order 7", sender: "eve@x.example" })).toBeNull();
  });

  test("when what it cites is another organization's or the other environment's", async () => {
    const theirs = await conversation("Order 8", zeta);
    const ours = await conversation("Order 9");
    expect(await found({ cited: [theirs.cited], sender: "eve@x.example" })).toBeNull();
    expect(await found({ cited: [ours.cited], sender: "eve@x.example", environment: "test" })).toBeNull();
    expect(await found({ subject: "Re: Order 8", sender: "ada@example.com" })).toBeNull();
  });
});

test("a thread counts its messages and keeps at most fifty participants", async () => {
  const { thread } = await conversation("Order 10");
  const party = Array.from({ length: 80 }, (_, each) => `p${each}@x.example`);
  await owner`select mailpipe.join_thread(${thread}, ${acme.organization_id}, 'live', 'x', ${party})`;
  const [row] = await owner`
    select message_count, cardinality(participants) as kept, last_message_at = mailpipe.clock() as moved
    from mailpipe.threads where id = ${thread}
  `;
  expect(row).toEqual({ message_count: 2, kept: 50, moved: true });
});
