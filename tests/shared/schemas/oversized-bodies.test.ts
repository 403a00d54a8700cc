import { describe, expect, test } from "vitest";
import { ApiError, type ErrorDetail } from "../../../shared/errors.ts";
import { IssueKey } from "../../../shared/schemas/keys.ts";
import { ConnectProvider } from "../../../shared/schemas/providers.ts";
import { SendMail } from "../../../shared/schemas/send-mail.ts";
import { validate } from "../../../shared/validate.ts";

/** Longer than anybody should wait for a refusal on a busy machine; what is quadratic takes minutes. */
const patienceMs = 3_000;
const mail = { from: "a@b.example", to: ["c@d.example"], subject: "s", text: "t" };
const key = { name: "k", environment: "live", scopes: ["mail:read"] };
const many = <Entry>(count: number, entry: (index: number) => Entry) =>
  Array.from({ length: count }, (_, index) => entry(index));
const record = (count: number, value: unknown) =>
  Object.fromEntries(many(count, (index) => [`x-${index}`, value]));
const attached = (more: object) => ({
  ...mail,
  attachments: [{ filename: "f", content: "", ...more }],
});

/** The refusal and its first field, within patience; anything but an ApiError is thrown on. */
function refused(schema: Parameters<typeof validate>[0], body: unknown): unknown[] {
  const started = performance.now();
  try {
    validate(schema, body);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    expect(performance.now() - started).toBeLessThan(patienceMs);
    const details = error.particulars as ErrorDetail[];
    expect(JSON.stringify(details).length).toBeLessThan(10_000);
    return [error.code, details[0]?.path];
  }
  throw new Error("was taken");
}

describe("A38: a body that fits its cap and is made to be slow is refused by its field, at once:", () => {
  test.each<[string, unknown, string]>([
    ["a million tags", { ...mail, tags: many(1_000_000, () => "t") }, "tags"],
    ["a million recipients", { ...mail, to: many(1_000_000, () => "a@b.example") }, "to"],
    ["a hundred thousand headers", { ...mail, headers: record(100_000, "v") }, "headers"],
    ["a hundred thousand metadata keys", { ...mail, metadata: record(100_000, "v") }, "metadata"],
    ["a hundred thousand unknown fields", { ...mail, ...record(100_000, 1) }, "x-0"],
    ["a million attachments", { ...mail, attachments: many(1_000_000, () => ({})) }, "attachments"],
    ["a list a million deep", JSON.parse("[".repeat(1e6) + "]".repeat(1e6)), ""],
    ["metadata a million deep", {
      ...mail,
      metadata: { a: JSON.parse("[".repeat(1e6) + "]".repeat(1e6)) },
    }, "metadata.a"],
  ])("%s", (_, body, path) => {
    expect(refused(SendMail, body)).toEqual(["invalid_request", path]);
  });

  test("ten thousand scopes, known or not", () => {
    for (const scope of ["mail:read", "no:such"]) {
      const scopes = many(10_000, () => scope);
      expect(refused(IssueKey, { ...key, scopes })).toEqual(["invalid_request", "scopes"]);
    }
  });
});

const units: [string, string, number][] = [
  ["parameters", ";a=b", 8_000_000],
  ["quotes", '"\\"', 8_000_000],
  ["Chinese characters", "漢", 11_000_000],
  ["characters beyond the first plane", "😀", 8_000_000],
];

// As many as 35 MiB hold.
describe.each(units)(
  "A38: %s are too long for a pattern by the million, and overflow none:",
  (_, unit, count) => {
    const long = unit.repeat(count);

    test.each<[string, Parameters<typeof validate>[0], (text: string) => unknown, string]>([
      [
        "content_type",
        SendMail,
        (text) => attached({ content_type: `a/b${text}` }),
        "attachments[0].content_type",
      ],
      ["filename", SendMail, (text) => attached({ filename: text }), "attachments[0].filename"],
      ["content_id", SendMail, (text) => attached({ content_id: text }), "attachments[0].content_id"],
      ["tag", SendMail, (text) => ({ ...mail, tags: [text] }), "tags[0]"],
      ["subject", SendMail, (text) => ({ ...mail, subject: text }), "subject"],
      ["from", SendMail, (text) => ({ ...mail, from: `${text}@b.example` }), "from"],
      ["display name", SendMail, (text) => ({ ...mail, from: `"${text}" <a@b.example>` }), "from"],
      ["domain", SendMail, (text) => ({ ...mail, from: `a@${text}` }), "from"],
      ["header", SendMail, (text) => ({ ...mail, headers: { "X-A": text } }), "headers.X-A"],
      ["metadata", SendMail, (text) => ({ ...mail, metadata: { a: text } }), "metadata.a"],
      ["key name", IssueKey, (text) => ({ ...key, name: text }), "name"],
      ["fence", IssueKey, (text) => ({ ...key, fences: { ip_ranges: [text] } }), "fences.ip_ranges[0]"],
      ["provider name", ConnectProvider, (text) => ({
        kind: "resend",
        name: text,
        credentials: { api_key: "x" },
      }), "name"],
    ])("%s", (_, schema, body, path) => {
      expect(refused(schema, body(long))).toEqual(["invalid_request", path]);
    });
  },
);
