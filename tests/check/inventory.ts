import { existsSync } from "node:fs";
import { join } from "node:path";
import { loadProducts, type Product } from "./product.ts";
import type { Rule } from "./rule.ts";
import { read, slugs } from "./sources.ts";

/** The `[functions.<slug>]` blocks of config.toml, each as its `key = value` lines. */
export function configBlocks(toml: string): Map<string, Map<string, string>> {
  const blocks = new Map<string, Map<string, string>>();
  for (const part of toml.split(/^\s*\[/m).slice(1)) {
    const slug = /^functions\."?([\w-]+)"?\]/.exec(part)?.[1];
    if (slug === undefined) continue;
    const pairs = [...part.matchAll(/^\s*(\w+)\s*=\s*(.+?)\s*(?:#.*)?$/gm)];
    blocks.set(slug, new Map(pairs.map(([, key = "", value = ""]) => [key, value])));
  }
  return blocks;
}

function blockOffences(slug: string, block: Map<string, string> | undefined): string[] {
  const wanted = {
    verify_jwt: "false",
    entrypoint: `"../functions/${slug}/index.ts"`,
    import_map: '"../deno.json"',
  };
  if (block === undefined) return [`supabase/config.toml has no [functions.${slug}]`];
  return Object.entries(wanted).filter(([key, value]) => block.get(key) !== value).map(([key, value]) =>
    `supabase/config.toml: [functions.${slug}] needs ${key} = ${value}`
  );
}

/** platform.md §2.1 and §3.2 in one block: our own credential check, and a map the deploy would not find itself. */
export const configured: Rule = {
  sentence: "Every function has its config block",
  check(root) {
    const blocks = configBlocks(read(root, "supabase/config.toml"));
    const present = slugs(root);
    const left = [...blocks.keys()].filter((slug) => !present.includes(slug));
    return [
      ...present.flatMap((slug) => blockOffences(slug, blocks.get(slug))),
      ...left.map((slug) => `supabase/config.toml: [functions.${slug}] has no functions/${slug}`),
    ];
  },
};

/** Same stem as the thing tested. */
export const tested: Rule = {
  sentence: "Every function has its test",
  check: (root) =>
    slugs(root).map((slug) => `tests/functions/${slug}.test.ts`).filter((path) =>
      !existsSync(join(root, path))
    )
      .map((path) => `${path} is missing`),
};

/** `/functions/v1/messages/{id}`, `messages/<id>` and `/messages/:id` name the same place. */
function place(path: string): string {
  const bare = path.replace(/^\/?(functions\/v1\/)?/, "").replace(/\/$/, "");
  return bare.replace(/\{\w+\}|<\w+>|:\w+/g, "{}");
}

type OpenApi = { paths?: Record<string, Record<string, unknown>> };

async function documented(openapi: Product): Promise<Set<string>> {
  const answer = await openapi.fetch(new Request("http://127.0.0.1/openapi"));
  const { paths = {} } = await answer.json() as OpenApi;
  return new Set(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${place(path)}`)
    ),
  );
}

function undocumented(product: Product, known: Set<string>): string[] {
  const outside = product.routes.filter(({ path }) => place(path).split("/")[0] !== product.slug);
  const absent = product.routes.filter(({ method, path }) => !known.has(`${method} ${place(path)}`));
  return [
    ...(product.routes.length === 0 ? [`functions/${product.slug} lists no route`] : []),
    ...outside.map(({ path }) => `functions/${product.slug} lists ${path}, which is not below its slug`),
    ...absent.map(({ method, path }) => `OpenAPI has no ${method} ${path}`),
  ];
}

/** What a client generator sees is what the functions answer to. */
export const described: Rule = {
  sentence: "Every function has its OpenAPI entry",
  async check(root) {
    const { products, faults } = await loadProducts(root);
    if (products.length === 0) return faults;
    const openapi = products.find(({ slug }) => slug === "openapi");
    if (openapi === undefined) return [...faults, "functions/openapi is missing"];
    const known = await documented(openapi);
    return [...faults, ...products.flatMap((product) => undocumented(product, known))];
  },
};
