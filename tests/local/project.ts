import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));

/** A project of a test's own, laid out as this repository is. */
export interface Project {
  root: string;
  remove(): Promise<void>;
}

/** A project whose functions are the given sources by slug, with our deno.json and node_modules. */
export async function makeProject(functions: Record<string, string>): Promise<Project> {
  const root = await mkdtemp(join(tmpdir(), "mailpipe-project-"));
  await symlink(join(REPOSITORY, "node_modules"), join(root, "node_modules"));
  for (const name of ["deno.json", "package.json"]) await cp(join(REPOSITORY, name), join(root, name));
  for (const [slug, source] of Object.entries(functions)) {
    await mkdir(join(root, "functions", slug), { recursive: true });
    await writeFile(join(root, "functions", slug, "index.ts"), source);
  }
  const sections = Object.keys(functions).map((slug) =>
    `[functions.${slug}]\nverify_jwt = false\nentrypoint = "../functions/${slug}/index.ts"\n`
  );
  await mkdir(join(root, "supabase"));
  await writeFile(join(root, "supabase/config.toml"), sections.join("\n"));
  return { root, remove: () => rm(root, { recursive: true }) };
}
