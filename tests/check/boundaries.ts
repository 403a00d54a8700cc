import { closure, type Import, importsOf, packageOf } from "./imports.ts";
import type { Rule } from "./rule.ts";
import { slugs, typescriptIn } from "./sources.ts";

function offences(root: string, folders: string[], bad: (each: Import) => string | undefined): string[] {
  return typescriptIn(root, ...folders).flatMap((path) => importsOf(root, path)).flatMap((each) => {
    const reason = bad(each);
    return reason === undefined ? [] : [`${each.from}:${each.line} ${reason}`];
  });
}

function folderOf(path: string): string {
  return path.split("/").slice(0, 2).join("/");
}

/** DESIGN §4: a function is one job; what two of them need lives in shared/. */
export const functionsApart: Rule = {
  sentence: "Functions never import each other",
  check: (root) =>
    offences(root, ["functions"], ({ from, target }) => {
      const foreign = target?.startsWith("functions/") && folderOf(target) !== folderOf(from);
      return foreign ? `imports ${target}: move what both need to shared/` : undefined;
    }),
};

/** DESIGN §4: imports point one way. */
export const sharedBelow: Rule = {
  sentence: "Nothing in shared/ imports functions/",
  check: (root) =>
    offences(
      root,
      ["shared"],
      ({ target }) => target?.startsWith("functions/") ? `imports ${target}` : undefined,
    ),
};

/** Which files may hold which door to the project; the packages are supabase-js in its parts. */
const doors: Record<string, string[]> = {
  "@supabase/supabase-js": ["shared/database.ts"],
  "@supabase/postgrest-js": ["shared/database.ts"],
  postgres: ["shared/database.ts"],
  pg: ["shared/database.ts"],
  "@supabase/auth-js": ["shared/sessions.ts", "shared/credentials.ts"],
  "@supabase/storage-js": ["shared/storage.ts"],
};

/** DESIGN §4: one file knows how Postgres is reached, one how bytes are stored, one how sessions are checked. */
export const clientsKept: Rule = {
  sentence: "Only database.ts imports the database client or a Postgres driver",
  check: (root) =>
    offences(root, ["functions", "shared"], ({ from, specifier, target }) => {
      const allowed = target === undefined ? doors[packageOf(specifier)] : undefined;
      if (allowed === undefined || allowed.includes(from)) return undefined;
      return `imports ${specifier}: only ${allowed.join(" and ")} may`;
    }),
};

/** The functions that speak to a provider; every other one leaves that to a job. */
const speakers = new Set([
  "deliver-mail",
  "dispatch-webhooks",
  "process-inbound",
  "run-maintenance",
  "providers",
]);

function adapterReached(root: string, slug: string): string[] {
  for (const [path, chain] of closure(root, `functions/${slug}/index.ts`)) {
    const adapter = path.startsWith("shared/providers/") && path !== "shared/providers/contract.ts";
    if (adapter) return [`functions/${slug} reaches an adapter: ${chain.join(" → ")}`];
  }
  return [];
}

/** DESIGN §4: a sending account is only ever called from a job or while it is being connected. */
export const adaptersApart: Rule = {
  sentence: "No function imports a provider adapter but the workers and providers",
  check: (root) =>
    slugs(root).filter((slug) => !speakers.has(slug)).flatMap((slug) => adapterReached(root, slug)),
};
