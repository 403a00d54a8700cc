import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ListedRoute } from "../../shared/serve.ts";
import { slugs } from "./sources.ts";

/** What the README and OpenAPI are compared with: the part of a listed route that needs no schema. */
export type Route = Pick<ListedRoute, "method" | "path" | "access" | "summary">;

/** A function as an entrypoint exports it. */
export interface Product {
  slug: string;
  routes: Route[];
  fetch(request: Request): Response | Promise<Response>;
}

/** A function that could not be imported, and why. */
export interface Unloadable {
  slug: string;
  reason: string;
}

async function load(root: string, slug: string): Promise<Product | Unloadable> {
  const path = join(root, "functions", slug, "index.ts");
  if (!existsSync(path)) return { slug, reason: "has no index.ts" };
  try {
    const { default: entry } = await import(pathToFileURL(path).href) as { default?: Partial<Product> };
    if (typeof entry?.fetch !== "function") return { slug, reason: "exports no default { fetch }" };
    if (!Array.isArray(entry.routes)) return { slug, reason: "its default export carries no routes" };
    return { slug, routes: entry.routes, fetch: (request) => (entry as Product).fetch(request) };
  } catch (error) {
    return { slug, reason: `cannot be imported: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** Imports every function; importing has no side effect (DESIGN §5), so this costs only time. */
export async function loadProducts(root: string): Promise<{ products: Product[]; faults: string[] }> {
  const loaded = await Promise.all(slugs(root).map((slug) => load(root, slug)));
  const faults = loaded.flatMap((each) => "reason" in each ? [`functions/${each.slug} ${each.reason}`] : []);
  return { products: loaded.filter((each): each is Product => "routes" in each), faults };
}
