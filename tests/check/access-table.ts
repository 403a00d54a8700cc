import { join } from "node:path";
import type { Access } from "../../shared/access.ts";
import { loadProducts, type Product } from "./product.ts";
import { sectionFaults, tableRow, writeSection } from "./readme-section.ts";
import type { Rule } from "./rule.ts";

const script = "access-table.ts";

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

/** The table of every route, by slug and in the order each function lists them. */
export function accessTable(products: Product[]): string {
  const rows = products.flatMap(({ routes }) =>
    routes.map(({ method, path, access, summary }) =>
      tableRow([`\`${method} ${path.replace(/^\//, "")}\``, inWords(access), summary])
    )
  );
  return [tableRow(["Call", "Who may call", "What it does"]), "| --- | --- | --- |", ...rows].join("\n");
}

/** DESIGN §5: `access` is the only place that says who may call, so the README only repeats it. */
export const tableGenerated: Rule = {
  sentence: "The README's access table is generated from access",
  async check(root) {
    const { products, faults } = await loadProducts(root);
    return [...faults, ...sectionFaults(root, "access", accessTable(products), script)];
  },
};

/** Writes the table into the README of this repository; exits 1 where a function cannot say who may call it. */
async function write(root: string): Promise<void> {
  const { products, faults } = await loadProducts(root);
  const stopped = faults.length > 0 ? faults : writeSection(root, "access", accessTable(products));
  if (stopped.length > 0) {
    console.error(stopped.join("\n"));
    process.exitCode = 1;
  }
}

if (process.argv[1] === import.meta.filename && process.argv.includes("--write")) {
  await write(join(import.meta.dirname, "../.."));
}
