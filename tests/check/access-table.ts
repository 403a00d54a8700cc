import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Access } from "../../shared/access.ts";
import { loadProducts, type Product } from "./product.ts";
import type { Rule } from "./rule.ts";
import { read } from "./sources.ts";

const begin = "<!-- access:begin -->";
const end = "<!-- access:end -->";

/** Who may call, in words a reader of the README needs no code for. */
export function inWords(access: Access): string {
  if ("scope" in access) return `key with \`${access.scope}\`, or a session whose role grants it`;
  if ("session" in access) return "session";
  if ("role" in access) {
    return {
      owner: "session of an owner",
      admin: "session of an owner or admin",
      viewer: "session of any member",
    }[
      access.role
    ];
  }
  if ("caller" in access) return "any key or session";
  if ("worker" in access) return "the workers' secret";
  if ("connection" in access) return "the provider, by its connection's token and signature";
  return "anyone";
}

function row(cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replace(/\s+/g, " ").trim()).join(" | ")} |`;
}

/** The table of every route, by slug and in the order each function lists them. */
export function accessTable(products: Product[]): string {
  const rows = products.flatMap(({ routes }) =>
    routes.map(({ method, path, access, summary }) =>
      row([`\`${method} ${path.replace(/^\//, "")}\``, inWords(access), summary])
    )
  );
  return [row(["Call", "Who may call", "What it does"]), "| --- | --- | --- |", ...rows].join("\n");
}

/** The README with the table between its two marks; undefined when a mark is missing. */
export function withTable(readme: string, table: string): string | undefined {
  const [before, rest] = readme.split(begin, 2);
  const after = rest?.split(end, 2)[1];
  if (before === undefined || after === undefined) return undefined;
  return `${before}${begin}\n\n${table}\n\n${end}${after}`;
}

/** DESIGN §5: `access` is the only place that says who may call, so the README only repeats it. */
export const tableGenerated: Rule = {
  sentence: "The README's access table is generated from access",
  async check(root) {
    const { products, faults } = await loadProducts(root);
    const readme = read(root, "README.md");
    const wanted = withTable(readme, accessTable(products));
    if (wanted === undefined) return [...faults, `README.md lacks ${begin} … ${end}`];
    return wanted === readme
      ? faults
      : [...faults, "README.md: run node --import tsx tests/check/access-table.ts --write"];
  },
};

/** Writes the table into the README of this repository; exits 1 where a function cannot say who may call it. */
async function write(root: string): Promise<void> {
  const { products, faults } = await loadProducts(root);
  const text = withTable(read(root, "README.md"), accessTable(products));
  if (text === undefined || faults.length > 0) {
    console.error(
      [...faults, ...(text === undefined ? [`README.md lacks ${begin} … ${end}`] : [])].join("\n"),
    );
    process.exitCode = 1;
  } else writeFileSync(join(root, "README.md"), text);
}

if (process.argv[1] === import.meta.filename && process.argv.includes("--write")) {
  await write(join(import.meta.dirname, "../.."));
}
