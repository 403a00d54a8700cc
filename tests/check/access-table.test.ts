import { expect, test } from "vitest";
import { accessTable, inWords, tableGenerated } from "./access-table.ts";
import { withSection } from "./readme-section.ts";
import { expectOffenceThenFix } from "./tree.ts";

const issueKey = `export default {
  fetch: () => new Response(),
  routes: [{ method: "POST", path: "/issue-key", access: { scope: "keys:write" }, summary: "Issues an | API key." }],
};`;

const table = [
  "| Call | Who may call | What it does |",
  "| --- | --- | --- |",
  "| `POST issue-key` | key with `keys:write`, or a session whose role grants it | Issues an \\| API key. |",
].join("\n");

const readme = (inside: string) =>
  `# Mailpipe\n\n<!-- access:begin -->\n\n${inside}\n\n<!-- access:end -->\n\nMore.\n`;

test("a README whose table differs from what the functions say is named, and one without marks", async () => {
  const functions = { "functions/issue-key/index.ts": issueKey };
  const fixed = { ...functions, "README.md": readme(table) };
  await expectOffenceThenFix(
    tableGenerated,
    { ...functions, "README.md": readme(table.replace("keys:write", "keys:read")) },
    ["README.md: run node --import tsx tests/check/access-table.ts --write"],
    fixed,
  );
  await expectOffenceThenFix(tableGenerated, { ...functions, "README.md": "# Mailpipe\n" }, [
    "README.md lacks",
  ], fixed);
});

test("writing the table changes only what stands between the marks, and a second time nothing", () => {
  const written = withSection(readme("old"), "access", table);
  expect(written).toBe(readme(table));
  expect(withSection(written ?? "", "access", table)).toBe(written);
});

test("every kind of access has its own words", () => {
  const words = [
    inWords({ scope: "mail:send" }),
    inWords({ session: true }),
    inWords({ caller: true }),
    inWords({ worker: true }),
    inWords({ connection: true }),
    inWords({ public: true }),
  ];
  expect(new Set(words).size).toBe(6);
  expect(words[0]).toContain("`mail:send`");
  expect(words[5]).toBe("anyone");
});

test("routes stay in the order their function lists them", () => {
  const route = (path: string) => ({ method: "GET", path, access: { public: true } as const, summary: "" });
  const product = { slug: "a", fetch: () => new Response(), routes: [route("/a/b"), route("/a")] };
  expect(accessTable([product]).split("\n").slice(2).map((row) => row.split("`")[1])).toEqual([
    "GET a/b",
    "GET a",
  ]);
});
