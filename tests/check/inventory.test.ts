import { test } from "vitest";
import { configured, described, tested } from "./inventory.ts";
import { expectOffenceThenFix } from "./tree.ts";

const block = (slug: string) =>
  `[functions.${slug}]
verify_jwt = false # our keys are no Supabase JWTs
entrypoint = "../functions/${slug}/index.ts"
import_map = "../deno.json"
`;

test("a function without its config block, with half of one, and a block without its function are named", async () => {
  await expectOffenceThenFix(
    configured,
    {
      "functions/health/index.ts": "",
      "functions/whoami/index.ts": "",
      "supabase/config.toml": `${
        block("gone")
      }\n[functions.whoami]\nverify_jwt = true\nimport_map = "../deno.json"\n`,
    },
    [
      "config.toml has no [functions.health]",
      "[functions.whoami] needs verify_jwt = false",
      '[functions.whoami] needs entrypoint = "../functions/whoami/index.ts"',
      "[functions.gone] has no functions/gone",
    ],
    {
      "functions/health/index.ts": "",
      "functions/whoami/index.ts": "",
      "supabase/config.toml": `project_id = "mailpipe"\n\n${block("health")}\n${
        block("whoami")
      }\n[api]\nport = 1\n`,
    },
  );
});

test("a function without its test is named", async () => {
  await expectOffenceThenFix(
    tested,
    { "functions/health/index.ts": "", "tests/functions/healthy.test.ts": "" },
    ["tests/functions/health.test.ts is missing"],
    { "functions/health/index.ts": "", "tests/functions/health.test.ts": "" },
  );
});

const routes = (...all: [string, string][]) =>
  `export default { fetch: () => new Response(), routes: ${
    JSON.stringify(all.map(([method, path]) => ({ method, path, access: { public: true }, summary: "" })))
  } };`;

const openapi = (paths: Record<string, unknown>) =>
  `export default {
    fetch: () => Response.json({ paths: ${JSON.stringify(paths)} }),
    routes: [{ method: "GET", path: "/openapi", access: { public: true }, summary: "" }],
  };`;

test("a route OpenAPI does not know, and a function that lists none, are named", async () => {
  await expectOffenceThenFix(
    described,
    {
      "functions/openapi/index.ts": openapi({ "/openapi": { get: {} }, "/messages": { get: {} } }),
      "functions/messages/index.ts": routes(["GET", "/messages"], ["GET", "/messages/{id}"], [
        "GET",
        "/mail",
      ]),
      "functions/silent/index.ts": routes(),
      "functions/bare/index.ts": "export default { fetch: () => new Response() };",
      "functions/torn/index.ts": 'throw new Error("no variable");',
    },
    [
      "functions/bare its default export carries no routes",
      "functions/torn cannot be imported: no variable",
      "functions/messages lists /mail, which is not below its slug",
      "OpenAPI has no GET /messages/{id}",
      "OpenAPI has no GET /mail",
      "functions/silent lists no route",
    ],
    {
      "functions/openapi/index.ts": openapi({
        "/openapi": { get: {} },
        "/functions/v1/messages/{id}": { get: {} },
      }),
      "functions/messages/index.ts": routes(["GET", "messages/<id>"]),
    },
  );
});

test("functions without an openapi function are described nowhere", async () => {
  const whoami = { "functions/whoami/index.ts": routes(["GET", "/whoami"]) };
  const both = { "/openapi": { get: {} }, "/whoami": { get: {} } };
  await expectOffenceThenFix(
    described,
    whoami,
    ["functions/openapi is missing"],
    { ...whoami, "functions/openapi/index.ts": openapi(both) },
  );
});
