import { createHmac, timingSafeEqual } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import { newWebhookSecret, signWebhook, verifyStandardWebhook } from "../../shared/signature.ts";

const id = "evt_01JDPZ0000000000000000000";
const now = new Date("2025-01-02T03:04:05Z");
const seconds = now.getTime() / 1000;
const body = JSON.stringify({
  id,
  type: "email.received",
  data: { subject: "Grüße 😀", nested: [1, { a: null }] },
});
const bytes = new TextEncoder().encode(body);

/** The sample in Mailpipe's documentation: it signs what JSON.stringify makes of the parsed body. */
function mailpipeSample(payload: unknown, signature: string, secret: string): boolean {
  const expected = createHmac("sha256", secret).update(JSON.stringify(payload)).digest("hex");
  return timingSafeEqual(Buffer.from(signature), Buffer.from(expected));
}

test("a new secret is whsec_ and 32 bytes, and never the same twice", () => {
  const secret = newWebhookSecret();
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(newWebhookSecret()).not.toBe(secret);
});

describe("what we sign", () => {
  const [current, previous] = [newWebhookSecret(), newWebhookSecret()];
  const live = Math.floor(Date.now() / 1000);
  const sign = (previousSecret: string | null) =>
    signWebhook({ id, timestampSeconds: live, body, secret: current, previousSecret });
  const headers = sign(previous);

  test("holds in Mailpipe's sample, with the whole secret as the key", () => {
    const signature = sign(null)["x-mailpipe-signature"];
    expect(signature).toMatch(/^[0-9a-f]{64}$/);
    expect(mailpipeSample(JSON.parse(body), signature, current)).toBe(true);
    expect(mailpipeSample(JSON.parse(body), signature, previous)).toBe(false);
  });

  test("holds in Mailpipe's sample under the previous secret for as long as there is one", () => {
    const signature = headers["x-mailpipe-signature"];
    expect(mailpipeSample(JSON.parse(body), signature, previous)).toBe(true);
    expect(mailpipeSample(JSON.parse(body), signature, current)).toBe(false);
  });

  test("holds in the standardwebhooks library under the current and the previous secret, under no other", () => {
    for (const secret of [current, previous]) {
      expect(new Webhook(secret).verify(body, { ...headers })).toEqual(JSON.parse(body));
    }
    expect(() => new Webhook(newWebhookSecret()).verify(body, { ...headers })).toThrow();
    expect(headers["webhook-signature"].split(" ")).toHaveLength(2);
  });

  test("is a whole second and the event's id", () => {
    const signed = signWebhook({ id, timestampSeconds: 12.9, body, secret: current, previousSecret: null });
    expect(signed).toMatchObject({
      "webhook-id": id,
      "webhook-timestamp": "12",
    });
  });

  test("with a secret that is not base64 is a fault", () => {
    expect(() => signWebhook({ id, timestampSeconds: 1, body, secret: "whsec_!", previousSecret: null }))
      .toThrow(
        "not base64",
      );
  });
});

describe("what we verify", () => {
  const secret = newWebhookSecret();
  function signed(family = "webhook", at = seconds): Record<string, string> {
    const signature = new Webhook(secret).sign(id, new Date(at * 1000), body);
    return { [`${family}-id`]: id, [`${family}-timestamp`]: String(at), [`${family}-signature`]: signature };
  }
  function verify(headers: Record<string, string>, changes = {}) {
    return verifyStandardWebhook({ headers, body: bytes, secret, now, ...changes });
  }

  test("holds for what the standardwebhooks library signs, under both spellings of the headers", () => {
    expect(verify(signed("webhook"))).toEqual({ id });
    expect(verify(signed("svix"))).toEqual({ id });
  });

  test("holds with a bare secret, and when one of several signatures matches", () => {
    expect(verify(signed(), { secret: secret.slice(6) })).toEqual({ id });
    const headers = signed();
    expect(verify({ ...headers, "webhook-signature": `v1a,AAAA v1,AAAA ${headers["webhook-signature"]}` }))
      .toEqual({ id });
  });

  test("holds for bytes that are not UTF-8, which the library would change", () => {
    const latin1 = Buffer.from("Subject: Gr\xfc\xdfe\r\n\r\n\x00\xff", "latin1");
    const key = Buffer.from(secret.slice(6), "base64");
    const signature = createHmac("sha256", key).update(`${id}.${seconds}.`).update(latin1).digest("base64");
    const headers = { ...signed(), "webhook-signature": `v1,${signature}` };
    expect(verify(headers, { body: new Uint8Array(latin1) })).toEqual({ id });
  });

  test.each([[-300, true], [300, true], [-301, false], [301, false]])(
    "at %i seconds from now is %s",
    (offset, good) => {
      expect(verify(signed("webhook", seconds + offset)) !== null).toBe(good);
    },
  );

  test("fails for another body, id, time, secret or a truncated signature", () => {
    const headers = signed();
    const signature = headers["webhook-signature"] ?? "";
    expect(verify(headers, { body: new TextEncoder().encode(`${body} `) })).toBeNull();
    expect(verify(headers, { secret: newWebhookSecret() })).toBeNull();
    expect(verify({ ...headers, "webhook-id": "evt_other" })).toBeNull();
    expect(verify({ ...headers, "webhook-timestamp": String(seconds + 1) })).toBeNull();
    expect(verify({ ...headers, "webhook-signature": signature.slice(0, -1) })).toBeNull();
    expect(verify({ ...headers, "webhook-signature": signature.replace("v1,", "v0,") })).toBeNull();
    expect(verify({ ...headers, "webhook-signature": signature.slice(3) })).toBeNull();
  });

  test("fails without a header, with a mix of spellings, or with a time or an id that is not one", () => {
    for (const missing of ["webhook-id", "webhook-timestamp", "webhook-signature"]) {
      expect(verify({ ...signed(), [missing]: "" })).toBeNull();
    }
    const { "webhook-id": dropped, ...rest } = signed();
    expect(verify({ ...rest, "svix-id": dropped ?? "" })).toBeNull();
    expect(verify({ ...signed(), "webhook-timestamp": `${seconds}abc` })).toBeNull();
    expect(verify({ ...signed(), "webhook-timestamp": "NaN" })).toBeNull();
    expect(verify({ ...signed(), "webhook-id": "a b" })).toBeNull();
    expect(verify({ ...signed(), "webhook-id": "x".repeat(257) })).toBeNull();
  });

  test("fails, and does not throw, with a secret that is no secret", () => {
    for (const bad of ["", "whsec_", "whsec_!!", "whsec_a"]) {
      expect(verify(signed(), { secret: bad })).toBeNull();
    }
  });
});
