import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { events } from "../../shared/schemas/events.ts";
import { catalogueGenerated, eventCatalogue, exampleEvent } from "./event-catalogue.ts";
import { expectOffenceThenFix } from "./tree.ts";

const kind = (data: z.ZodType, example: object = {}) => ({ when: "It | happened.", data, example });
const fieldsOf = (data: z.ZodType) => /^`data`: (.*)\.$/m.exec(eventCatalogue({ "a.b": kind(data) }))?.[1];
const readme = (inside: string) =>
  `# Mailpipe\n\n<!-- events:begin -->\n\n${inside}\n\n<!-- events:end -->\n\nMore.\n`;

test("a README whose catalogue differs from the schemas is named, and one without marks", async () => {
  const right = eventCatalogue(events);
  const fixed = { "README.md": readme(right) };
  const stale = right.replace("`subject` (text)", "`subject` (number)");
  await expectOffenceThenFix(
    catalogueGenerated,
    { "README.md": readme(stale) },
    ["README.md: run node --import tsx tests/check/event-catalogue.ts --write"],
    fixed,
  );
  await expectOffenceThenFix(catalogueGenerated, { "README.md": "# Mailpipe\n" }, ["README.md lacks"], fixed);
});

test("an event is a row of the table, and has its fields and an example of the whole envelope", () => {
  const data = z.strictObject({ id: z.string().describe("of the thing"), sizes: z.array(z.int()) });
  expect(eventCatalogue({ "a.b": kind(data, { id: "x", sizes: [1, 2] }) })).toBe(`\
| Event | When it is sent |
| --- | --- |
| \`a.b\` | It \\| happened. |

<details><summary><code>a.b</code></summary>

\`data\`: \`id\` (text: of the thing), \`sizes\` (list of number).

\`\`\`json
{ "id": "evt_01KXYW6R2S4V6X8Z1B3D5F7H9K", "type": "a.b", "created_at": "2026-11-24T10:00:03.412Z",
  "data": {
    "id": "x", "sizes": [1, 2]
  }
}
\`\`\`

</details>`);
});

test.each<[string, z.ZodType, string]>([
  ["null beside text", z.string().nullable(), "text or null"],
  ["a few words", z.enum(["a", "b"]), '"a" or "b"'],
  ["many words", z.enum(["a", "b", "c", "d", "e"]), "text"],
  ["an id", z.string().regex(/^msg_[0-9A-Z]{26}$/), "msg_…"],
  ["a pattern that is no id", z.string().regex(/^[0-9a-f]{64}$/), "text"],
  ["a time", z.iso.datetime(), "time"],
  ["a user", z.uuid(), "UUID"],
  ["yes or no", z.boolean(), "true or false"],
  ["names with texts", z.record(z.string(), z.string()), "object of text"],
  ["an object", z.strictObject({ b: z.boolean() }), "{ `b` (true or false) }"],
])("%s is told as its type", (_, schema, words) => {
  expect(fieldsOf(z.strictObject({ a: schema }))).toBe(`\`a\` (${words})`);
});

test("a field is marked where it may be missing, in one schema or in one of several", () => {
  const one = z.strictObject({ a: z.string() });
  expect(fieldsOf(one.extend({ b: z.string().optional() }))).toBe("`a` (text), `b?` (text)");
  expect(fieldsOf(z.union([one, one.extend({ b: z.int() })]))).toBe("`a` (text), `b?` (number)");
  expect(fieldsOf(z.union([one, z.strictObject({ a: z.int() })]))).toBe("`a` (text or number)");
});

test("each example in this README is the event as it is posted", () => {
  const text = readFileSync(resolve(import.meta.dirname, "../../README.md"), "utf8");
  const section = /<!-- events:begin -->([^]*)<!-- events:end -->/.exec(text)?.[1] ?? "";
  const shown = [...section.matchAll(/```json\n([^]*?)```/g)].map(([, json = ""]) =>
    JSON.parse(json) as unknown
  );
  expect(shown).toEqual(Object.entries(events).map(([type, each]) => exampleEvent(type, each)));
});
