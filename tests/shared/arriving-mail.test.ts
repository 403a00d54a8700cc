import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { storeArrivedMail } from "../../shared/arriving-mail.ts";
import { readStored } from "../../shared/storage.ts";
import { type Api, startApi } from "../support/api.ts";

const tenant = { organization_id: "org_01JDPZ00000000000000000000", environment: "live" };

let api: Api;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const header = [
  "From: Ada <ada@example.com>",
  "To: Bob <bob@example.net>, cee@example.net",
  "Cc: dee@example.net",
  "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=",
  "Message-ID: <two@example.com>",
  "In-Reply-To: <one@rewritten.example>",
  "References: <zero@example.com> <one@rewritten.example>",
  "MIME-Version: 1.0",
];

function mail(lines: string[], envelope_to: string[] = []) {
  const raw = new TextEncoder().encode(lines.join("\r\n"));
  return { item: "mail" as const, raw, envelope_from: "bounce@example.com", envelope_to };
}

const plain = mail([...header, "Content-Type: text/plain; charset=utf-8", "", "Hello"]);
const twoFiles = mail([
  ...header,
  'Content-Type: multipart/mixed; boundary="b"',
  "",
  "--b",
  "Content-Type: text/plain",
  "",
  "See both.",
  "--b",
  'Content-Type: application/pdf; name="a.pdf"',
  "Content-Disposition: attachment",
  "Content-Transfer-Encoding: base64",
  "",
  "AP8B",
  "--b",
  "Content-Type: application/octet-stream",
  "Content-Disposition: attachment",
  "",
  "x",
  "--b--",
]);

describe("a mail that arrived", () => {
  test("is kept as the bytes that came", async () => {
    const facts = await storeArrivedMail(tenant, plain);
    const sha256 = createHash("sha256").update(plain.raw).digest("hex");
    expect(facts).toMatchObject({
      raw_key: `${tenant.organization_id}/live/${sha256}`,
      size_bytes: plain.raw.byteLength,
      envelope_from: "bounce@example.com",
      subject: "Grüße",
      bcc: [],
    });
    expect([...await readStored(String(facts["raw_key"]))]).toEqual([...plain.raw]);
  });

  test("cites ids in every spelling a provider may have given them, without brackets and once each", async () => {
    const facts = await storeArrivedMail(tenant, plain);
    expect(facts).toMatchObject({ message_id: "two@example.com", in_reply_to: "one@rewritten.example" });
    expect((facts["cited"] as string[]).toSorted()).toEqual([
      "one",
      "one@rewritten.example",
      "zero",
      "zero@example.com",
    ]);
  });

  test("without ids cites nothing", async () => {
    const facts = await storeArrivedMail(tenant, mail(["From: ada@example.com", "", "Hi"]));
    expect(facts).toMatchObject({ message_id: null, in_reply_to: null, cited: [] });
  });

  test("was delivered where its envelope says, whatever its author wrote", async () => {
    const delivered = await storeArrivedMail(tenant, { ...plain, envelope_to: ["inbox@example.net"] });
    expect(delivered["delivered_to"]).toEqual(["inbox@example.net"]);
    const unsaid = await storeArrivedMail(tenant, plain);
    expect(unsaid["delivered_to"]).toEqual(["bob@example.net", "cee@example.net", "dee@example.net"]);
  });

  test("has its files stored beside it, a nameless one under its number", async () => {
    const { attachments } = await storeArrivedMail(tenant, twoFiles) as {
      attachments: Record<string, unknown>[];
    };
    const pdf = createHash("sha256").update(Uint8Array.of(0, 255, 1)).digest("hex");
    expect(attachments).toMatchObject([
      { filename: "a.pdf", content_type: "application/pdf", size_bytes: 3, sha256: pdf },
      { filename: "attachment-2", content_type: "application/octet-stream" },
    ]);
    expect([...await readStored(`${tenant.organization_id}/live/${pdf}`)]).toEqual([0, 255, 1]);
    for (const file of attachments) expect(file).not.toHaveProperty("bytes");
  });

  test("that is no mail at all is kept too", async () => {
    const facts = await storeArrivedMail(tenant, mail(["\0\0\0", "\0"]));
    expect(facts).toMatchObject({ raw_key: expect.any(String), attachments: [] });
    expect(JSON.stringify(facts)).not.toContain("\\u0000");
  });
});
