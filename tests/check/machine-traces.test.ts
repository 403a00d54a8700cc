import { expect, test } from "vitest";
import { machineUnnamed, trace } from "./machine-traces.ts";
import { expectOffenceThenFix } from "./tree.ts";

const host = ["registry", "npmjs", "org"].join(".");
const home = ["", "home", "ada", "mail"].join("/");

test("a registry's host and a path of one machine are named, also in files that are no program", async () => {
  await expectOffenceThenFix(
    machineUnnamed,
    {
      "README.md": `Install from https://${host}/mailpipe.\n`,
      ".github/workflow.yml": `run: cd ${home}\n`,
      "node_modules/zod/package.json": `{ "from": "https://${host}/zod" }`,
    },
    [".github/workflow.yml:1 names a path of one machine", "README.md:1 names a registry's host name"],
    {
      "README.md": "Call https://example.com/home/ada and ./tmp/file.\n",
      "shared/providers/registry.ts": "import { registry } from './registry.ts';\nregistry.get('x').kind;\n",
      ".env.local": `HOME=${home}\n`,
    },
  );
});

test("the folder of this very checkout is named wherever it is", () => {
  expect(trace("cd /srv/clones/mailpipe && npm start", "/srv/clones/mailpipe")).toBe(
    "the path of this checkout",
  );
  expect(trace("cd /srv/clones/other && npm start", "/srv/clones/mailpipe")).toBeUndefined();
});
