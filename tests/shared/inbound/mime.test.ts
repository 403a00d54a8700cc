import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import type { RawRequest } from "../../../shared/inbound/contract.ts";
import { mime } from "../../../shared/inbound/mime.ts";
import { newWebhookSecret } from "../../../shared/signature.ts";

const inbound_secret = newWebhookSecret();
const secrets = { credentials: {}, inbound_secret };
const now = new Date("2025-01-02T03:04:05Z");

function posted(body: Uint8Array, headers: Record<string, string> = {}): RawRequest {
  const timestamp = String(now.getTime() / 1000);
  const key = Buffer.from(inbound_secret.slice(6), "base64");
  const signature = createHmac("sha256", key).update(`in_1.${timestamp}.`).update(body).digest("base64");
  return {
    headers: {
      "webhook-id": "in_1",
      "webhook-timestamp": timestamp,
      "webhook-signature": `v1,${signature}`,
      ...headers,
    },
    body,
  };
}

const raw = new Uint8Array(Buffer.from("Subject: Gr\xfc\xdfe\r\n\r\nbody\r\n", "latin1"));

describe("the signature over the raw bytes", () => {
  test("names the event by its webhook-id, 8-bit bodies included", () => {
    expect(mime.verify(posted(raw), secrets, now)).toEqual({ event_key: "in_1" });
  });

  test("is what the standardwebhooks library makes for a text", () => {
    const text = "Subject: Hi\r\n\r\nbody\r\n";
    const signature = new Webhook(inbound_secret).sign("in_2", now, text);
    const headers = {
      "webhook-id": "in_2",
      "webhook-timestamp": String(now.getTime() / 1000),
      "webhook-signature": signature,
    };
    expect(mime.verify({ headers, body: new TextEncoder().encode(text) }, secrets, now)).toEqual({
      event_key: "in_2",
    });
  });

  test("fails when a byte changed, the line end at the end was trimmed, or the secret is another or none", () => {
    expect(mime.verify({ ...posted(raw), body: raw.slice(0, -2) }, secrets, now)).toBeNull();
    expect(mime.verify(posted(raw), { ...secrets, inbound_secret: newWebhookSecret() }, now)).toBeNull();
    expect(mime.verify(posted(raw), { ...secrets, inbound_secret: null }, now)).toBeNull();
    expect(mime.verify({ headers: {}, body: raw }, secrets, now)).toBeNull();
    expect(mime.verify(posted(raw), secrets, new Date(now.getTime() + 301_000))).toBeNull();
  });
});

describe("the mail and its envelope", () => {
  test.each([
    ["a@b.test", "c@d.test", "a@b.test", ["c@d.test"]],
    ["<a@B.test>", " <c@d.test>, e@f.test ,c@D.test", "a@b.test", ["c@d.test", "e@f.test"]],
    ["", "c@d.test", null, ["c@d.test"]],
    ["<>", '"x, y"@d.test,c@d.test', null, ['"x, y"@d.test', "c@d.test"]],
    ["not an address", "nor this, c@d.test, undisclosed:;", null, ["c@d.test"]],
    [undefined, undefined, null, []],
    ["a@b.test", ",".repeat(10_000), "a@b.test", []],
    ["a@b.test", '"'.repeat(60_000), "a@b.test", []],
  ])("from %j to %j", async (from, to, envelope_from, envelope_to) => {
    const headers = {
      ...(from === undefined ? {} : { "x-mailpipe-envelope-from": from }),
      ...(to === undefined ? {} : { "x-mailpipe-envelope-to": to }),
    };
    expect(await mime.interpret(posted(raw, headers), secrets)).toEqual([{
      item: "mail",
      raw,
      envelope_from,
      envelope_to,
    }]);
  });

  test("no more than 100 recipients", async () => {
    const to = Array.from({ length: 200 }, (_, index) => `${index}@d.test`).join(",");
    const [mail] = await mime.interpret(posted(raw, { "x-mailpipe-envelope-to": to }), secrets);
    expect(mail).toMatchObject({ envelope_to: { length: 100 } });
  });

  test("an empty body is no mail", async () => {
    expect(await mime.interpret(posted(new Uint8Array()), secrets)).toEqual([]);
  });
});
