import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { mintKey } from "../../shared/keys.ts";
import { mintToken } from "../../shared/one-time-token.ts";
import { newWebhookSecret } from "../../shared/signature.ts";
import type { Seeded } from "./evidence.ts";
import type { SecretKind } from "./secret-kinds.ts";
import { SecretSearch } from "./secret-search.ts";

const secrets: Record<string, string> = {
  "a key": mintKey("live").plain,
  "a webhook secret": newWebhookSecret(),
  "the shortest there is": "fairly-short",
  "one of odd characters": `grüße "an" \\ alle/${randomBytes(4).toString("hex")}?`,
  "one of several lines": `-----BEGIN KEY-----\n${randomBytes(40).toString("base64")}\n-----END KEY-----`,
  "one of half a character": "half a one \ud800",
};
const kinds: Record<string, SecretKind> = { "a key": "API key", "a webhook secret": "webhook secret" };
const seeded = Object.entries(secrets).map(([by, text]): Seeded => ({
  kind: kinds[by] ?? "passphrase",
  text,
  by,
}));
const search = new SecretSearch(seeded);

function finds(text: string | Uint8Array): (string | null)[] {
  const hits = search.hits({ source: "dump", place: "here", text: Buffer.from(text as string) });
  return hits.map(({ by }) => by);
}

const written: Record<string, (secret: string) => string | Uint8Array> = {
  "as it is": (secret) => secret,
  "in the middle of a text": (secret) => `${"x".repeat(999)}${secret}${"y".repeat(999)}`,
  "in JSON": (secret) => JSON.stringify({ it: Buffer.from(secret).toString() }),
  "in a URL": (secret) => `https://a.example/?it=${encodeURIComponent(Buffer.from(secret).toString())}`,
  "as bytea prints it": (secret) => `\\x00${Buffer.from(secret).toString("hex")}ff`,
  "in base64": (secret) => Buffer.from(secret).toString("base64"),
  "in base64, after one byte": (secret) => Buffer.from(`:${secret}`).toString("base64"),
  "in base64, between others": (secret) => Buffer.from(`::${secret}::`).toString("base64"),
  "in base64 of URLs": (secret) => Buffer.from(secret).toString("base64url"),
  "in a line of the server's log": (secret) => `ERROR: ${secret.replaceAll("\n", "\n\t")}`,
  "in bytes that are no text": (secret) => Buffer.concat([Buffer.from([255, 0]), Buffer.from(secret)]),
};

describe.each(Object.entries(secrets))("a search finds %s", (by, secret) => {
  test.each(Object.entries(written))("written %s, and no other with it", (_, write) => {
    expect(finds(write(secret))).toEqual([by]);
  });
});

describe("a search", () => {
  test("finds two that stand side by side, and one that stands twice once", () => {
    const [one = "", two = ""] = Object.values(secrets);
    expect(finds(`${one}${two}${one}`)).toEqual(["a key", "a webhook secret"]);
  });

  test("finds nothing in a secret cut short, in its hash, or in nothing", () => {
    for (const text of [secrets["one of odd characters"]?.slice(1) ?? "", "f".repeat(64), "", "abc"]) {
      expect(finds(text)).toEqual([]);
    }
  });

  test.each([
    ["a key", mintKey("test").plain],
    ["a key mistyped", `${mintKey("live").plain.slice(0, -1)}`],
    ["a workers' secret", `mpw_${randomBytes(32).toString("hex")}`],
    ["a webhook secret", newWebhookSecret()],
    ["an invitation's token", mintToken("mpi").plain],
    ["a confirmation token", mintToken("mpd").plain],
    ["a project's secret key", `sb_secret_${randomBytes(16).toString("base64url")}`],
    ["a session", ['{"alg":"HS256"}', '{"sub":"somebody"}', "signature"].map(btoa).join(".")],
  ])("knows by its shape %s that nobody noted", (_, secret) => {
    expect(finds(`it is ${secret}.`)).toEqual([null]);
  });
});
