import { execFile } from "node:child_process";
import { join } from "node:path";
import type { Rule } from "./rule.ts";
import { read, slugs, typescriptIn } from "./sources.ts";

/** Where the tools are installed; the folder under test need not have its own. */
const tools = join(import.meta.dirname, "../../node_modules");

/** What runs on the hosted Deno, and what runs on Node only. */
const hosted = ["functions", "shared"];
const onNode = ["tests", "supabase/local", "supabase/install"];

/** What a tool says when it fails, line by line without blank ones; empty when it succeeds. */
function complaints(program: string, args: string[], cwd: string): Promise<string[]> {
  const { DENO_DIR, ...rest } = process.env;
  // An empty DENO_DIR makes Deno 2.1.4 look past node_modules and ask the registry.
  const env = { ...rest, ...(DENO_DIR ? { DENO_DIR } : {}), NO_COLOR: "1" };
  return new Promise((resolve) => {
    execFile(program, args, { cwd, env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const said = `${stdout}${stderr}`.split("\n").filter((line) => line.trim() !== "");
      resolve(error === null ? [] : said.length > 0 ? said : [error.message]);
    });
  });
}

/** Progress, sums, and where Rust tells of its own stack after an error: nothing about our files. */
const noise = /^(Check |Checked \d|Found \d|Stack backtrace:| +\d+: | +at \.)/;

/** The flags keep Deno on the installed packages: no download, no deno.lock left behind. */
async function deno(root: string, command: string, flags: string[], files: string[]): Promise<string[]> {
  if (files.length === 0) return [];
  const args = [command, ...flags, "--config", "deno.json", ...files];
  const said = await complaints(join(tools, "deno/deno"), args, root);
  return said.filter((line) => !noise.test(line)).map((line) =>
    line.replaceAll(`${root}/`, "").replace("file://", "")
  );
}

/** Node's side: what vitest and the local stack run. */
export const compiles: Rule = {
  sentence: "TypeScript is strict and compiles",
  check: (root) => complaints(process.execPath, [join(tools, "typescript/bin/tsc"), "-p", root], root),
};

/** The hosted side: `functions deploy` only warns about a missing import and exits 0, so this is where it stops. */
export const entrypointsCheck: Rule = {
  sentence: "Every entrypoint passes deno check under Deno 2.1.4",
  check(root) {
    const entries = slugs(root).map((slug) => `functions/${slug}/index.ts`);
    return deno(root, "check", ["--no-lock", "--node-modules-dir=manual"], entries);
  },
};

/** `deno fmt` with the settings of deno.json; of its differences only the files are told. */
export const formattedByDeno: Rule = {
  sentence: "TypeScript is formatted",
  async check(root) {
    const said = await deno(root, "fmt", ["--check"], typescriptIn(root, ...hosted, ...onNode));
    const files = said.flatMap((line) => /^from (.*):$/.exec(line)?.[1] ?? []);
    return files.length > 0 ? files.map((file) => `${file}: run deno fmt on it`) : said;
  },
};

interface LintSettings {
  lint?: { rules?: { exclude?: string[] } };
}

/** The flag replaces the file's own list, so it repeats it. Deno 2.1.4 has no global Buffer; Node has. */
function nodeRules(root: string): string {
  const { lint } = JSON.parse(read(root, "deno.json") || "{}") as LintSettings;
  return `--rules-exclude=${[...lint?.rules?.exclude ?? [], "no-node-globals"].join(",")}`;
}

/** `deno lint` with the rules of deno.json, without the one about Node's globals where only Node runs. */
export const lintedByDeno: Rule = {
  sentence: "TypeScript is linted",
  async check(root) {
    const strict = deno(root, "lint", ["--compact"], typescriptIn(root, ...hosted));
    const node = deno(root, "lint", ["--compact", nodeRules(root)], typescriptIn(root, ...onNode));
    // Deno reads files side by side and tells of them in no order.
    return [...(await strict).sort(), ...(await node).sort()];
  },
};
