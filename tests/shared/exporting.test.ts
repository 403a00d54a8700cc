import PostalMime from "postal-mime";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { storePart } from "../../shared/exporting.ts";
import type { ExportedMessage, ExportStep } from "../../shared/schemas/data-jobs.ts";
import { readStored, removeStored, storeBytes } from "../../shared/storage.ts";
import { type Api, startApi } from "../support/api.ts";
import { outgoing } from "../support/outgoing.ts";

const organization = "org_01JDPZ00000000000000000000";
const live = { organization_id: organization, environment: "live" };
const unavailable = { code: "storage_unavailable" };

let api: Api;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

function message(changes: Partial<ExportedMessage> = {}): ExportedMessage {
  return { ...outgoing(), attachments: [], raw_key: null, ...changes };
}

const mailStep = (...messages: ExportedMessage[]): ExportStep => ({ stage: "mail", number: 7, messages });

async function stored(step: ExportStep): Promise<string> {
  const part = await storePart(organization, step);
  return Buffer.from(await readStored(part?.storage_key ?? "")).toString("latin1");
}

/** The one message of a part, without the line that separates it. */
async function exported(changes: Partial<ExportedMessage>) {
  const mbox = await stored(mailStep(message(changes)));
  return await PostalMime.parse(mbox.slice(mbox.indexOf("\n") + 1));
}

describe("a part of mail", () => {
  test("is named by its number, and the same step gives the same bytes", async () => {
    const part = await storePart(organization, mailStep(message(), message()));
    expect(part).toMatchObject({ number: 7, kind: "mail", name: "mail/000007.mbox", entries: 2 });
    expect(await storePart(organization, mailStep(message(), message()))).toEqual(part);
  });

  test("has a message without Message-ID under its own id, with its headers", async () => {
    const mail = await exported({ message_id: "<>", headers: { "X-About": "it" } });
    expect(mail.messageId).toBe("<msg_01JDPZ0000000000000000000@export.invalid>");
    expect(mail.headers).toContainEqual(expect.objectContaining({ key: "x-about", value: "it" }));
  });

  test.each<[string, unknown]>([
    ["that are ours to set", { "Message-ID": "<other@x.example>" }],
    ["with line breaks", { "X-Folded": "a\r\nBcc: b@x.example" }],
    ["that are a list", [["Received", "from x"]]],
    ["whose values are lists", { "X-Twice": ["a", "b\n"] }],
  ])("leaves headers %s to the rows, and keeps the Message-ID", async (_, headers) => {
    const mail = await exported({ headers });
    expect(mail).toMatchObject({ messageId: "<msg_01@example.com>", subject: "Hello" });
    expect(mail.headers.map(({ key }) => key)).not.toContain("bcc");
  });

  test("has raw mail as it came, and none of what was made of it", async () => {
    const { key } = await storeBytes(live, new TextEncoder().encode("Subject: raw\r\n\r\nFrom raw\r\n"));
    expect(await stored(mailStep(message({ raw_key: key })))).toBe(
      "From ada@example.com Thu Jan  2 03:04:05 2025\nSubject: raw\n\n>From raw\n\n",
    );
  });

  test("is made of what is left where an object is gone, and not written while Storage cannot be reached", async () => {
    const { key } = await storeBytes(live, Uint8Array.of(1, 2, 3));
    await removeStored([key]);
    const file = { filename: "a", content_type: "text/plain", content_id: null, storage_key: key };
    for (const lacking of [{ raw_key: key }, { attachments: [file] }]) {
      expect(await exported(lacking)).toMatchObject({ subject: outgoing().subject, attachments: [] });
    }
    vi.stubEnv("SUPABASE_URL", "http://127.0.0.1:9");
    await expect(storePart(organization, mailStep(message({ raw_key: key })))).rejects.toMatchObject(
      unavailable,
    );
    vi.unstubAllEnvs();
  });
});

describe("other parts", () => {
  test("are lines of a table, and the manifest; a step with nothing has none", async () => {
    const lines = ['{"id":"1"}', '{"id":"é"}'];
    expect(await storePart(organization, { stage: "events", number: 12, lines })).toMatchObject({
      kind: "rows",
      name: "rows/events/000012.ndjson",
      entries: 2,
    });
    expect(Buffer.from(await stored({ stage: "events", lines }), "latin1").toString()).toBe(
      `${lines.join("\n")}\n`,
    );
    expect(JSON.parse(await stored({ stage: "manifest", manifest: { a: 1 } }))).toEqual({ a: 1 });
    expect(await storePart(organization, { stage: "events", number: 1, lines: [] })).toBeNull();
  });
});
