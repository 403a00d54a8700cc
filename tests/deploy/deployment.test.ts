import { resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { plant, type Tree } from "../check/tree.ts";
import { deploy, type Deployment, paths, totalBytes } from "./deployment.ts";
import { serve } from "./served.ts";

const nodeModules = resolve(import.meta.dirname, "../../node_modules");

const refusal = `import { z } from "zod";
import { refuse } from "../../shared/refuse.ts";
import type { Reason } from "../../shared/reason.ts";
const reason: Reason = "missing_credential";
export default { fetch: (request: Request) => refuse(z.string().parse(reason), request.url) };
`;

const project: Tree = {
  "deno.json": '{ "imports": { "zod": "npm:zod@4.6.7" } }',
  "supabase/config.toml": ["whoami", "ping"].map((slug) =>
    `[functions.${slug}]
verify_jwt = false
entrypoint = "../functions/${slug}/index.ts"
import_map = "../deno.json"
`
  ).join("\n"),
  "functions/whoami/index.ts": refusal,
  "functions/ping/index.ts": "export default { fetch: () => new Response('pong') };\n",
  "shared/refuse.ts": `import hints from "./hints.json" with { type: "json" };
export const refuse = async (code: string, url: string) => {
  const { status } = await import("./status.ts");
  return Response.json({ code, hint: hints.hint, path: new URL(url).pathname }, { status });
};
`,
  "shared/hints.json": '{ "hint": "Send a key." }',
  "shared/status.ts": "export const status = 401;\n",
  "shared/reason.ts": "export type Reason = 'missing_credential';\n",
  "shared/unused.ts": "export {};\n",
};

async function deployed(tree: Tree): Promise<Deployment> {
  const deployment = await deploy(plant(tree));
  onTestFinished(() => deployment.remove());
  return deployment;
}

test("the stand-in receives each function's files as the CLI sends them, byte for byte", async () => {
  const { uploads, run, api } = await deployed(project);
  expect(run.output).not.toMatch(/WARN/);
  expect([run.code, api.unknown]).toEqual([0, []]);
  expect(uploads.map((upload) => [upload.slug, upload.live, paths(upload)])).toEqual([
    ["ping", true, ["deno.json", "functions/ping/index.ts"]],
    ["whoami", true, [
      "deno.json",
      "functions/whoami/index.ts",
      "shared/hints.json",
      "shared/reason.ts",
      "shared/refuse.ts",
      "shared/status.ts",
    ]],
  ]);
  for (const [path, bytes] of uploads.flatMap(({ files }) => [...files])) {
    expect(new TextDecoder().decode(bytes), path).toBe(project[path]);
  }
  expect(totalBytes(uploads)).toBe(
    uploads.flatMap(paths).reduce((sum, path) => sum + (project[path] ?? "").length, 0),
  );
});

test("what was uploaded answers from a clean folder", async () => {
  const deployment = await deployed(project);
  const served = await serve(deployment, nodeModules);
  onTestFinished(() => served.stop());
  const answer = await served.ask("POST", "whoami/me");
  expect([answer.status, await answer.json()]).toEqual([401, {
    code: "missing_credential",
    hint: "Send a key.",
    path: "/whoami/me",
  }]);
});

test("a missing import is only a warning to the CLI, so a warning must fail the deploy test", async () => {
  const { run } = await deployed({
    ...project,
    "functions/ping/index.ts": 'import "../../shared/gone.ts";\n',
  });
  expect(run.code).toBe(0);
  expect(run.output).toMatch(/WARN.*gone\.ts/);
});

test("a file that a function needs but that was not uploaded is missed where it is served", async () => {
  const deployment = await deployed(project);
  deployment.uploads.find(({ slug }) => slug === "whoami")?.files.delete("shared/hints.json");
  const served = await serve(deployment, nodeModules);
  onTestFinished(() => served.stop());
  expect((await served.ask("POST", "whoami")).status).toBe(503);
});
