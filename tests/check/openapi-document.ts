import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { errorKinds } from "../../shared/errors.ts";
import type { ListedRoute } from "../../shared/serve.ts";
import { inWords } from "./access-table.ts";
import type { Rule } from "./rule.ts";
import { read, slugs } from "./sources.ts";

const place = "shared/openapi-document.ts";

/** A zod schema as OpenAPI 3.1 takes it: JSON Schema 2020-12 without its own dialect line. */
function schemaOf(schema: z.ZodType, io: "input" | "output"): Record<string, unknown> {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    io,
    unrepresentable: "any",
    target: "draft-2020-12",
  });
  return json;
}

function parametersOf(route: ListedRoute): unknown[] {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const query = route.query === undefined ? {} : schemaOf(route.query, "input");
  const required = (query["required"] ?? []) as string[];
  const inQuery = Object.entries((query["properties"] ?? {}) as Record<string, unknown>).map((
    [name, schema],
  ) => ({
    name,
    in: "query",
    required: required.includes(name),
    schema,
  }));
  return [...inPath, ...inQuery];
}

function securityOf(route: ListedRoute): unknown[] {
  if ("public" in route.access) return [{}];
  if ("connection" in route.access) return [{}];
  if ("session" in route.access || "role" in route.access) return [{ session: [] }];
  if ("worker" in route.access) return [{ worker: [] }];
  return "scope" in route.access
    ? [{ api_key: [route.access.scope] }, { session: [route.access.scope] }]
    : [{ api_key: [] }, { session: [] }];
}

function bodyOf(route: ListedRoute): unknown {
  if (route.raw) {
    return { required: true, content: { "*/*": { schema: { type: "string", format: "binary" } } } };
  }
  if (route.body === undefined) return undefined;
  return { required: true, content: { "application/json": { schema: schemaOf(route.body, "input") } } };
}

function operation(route: ListedRoute): Record<string, unknown> {
  const requestBody = bodyOf(route);
  return {
    operationId: `${route.method} ${route.path}`.replace(
      /\W+(\w)/g,
      (_, letter: string) => letter.toUpperCase(),
    )
      .replace(/\W/g, ""),
    summary: route.summary,
    description: `Who may call: ${inWords(route.access)}.`,
    security: securityOf(route),
    parameters: parametersOf(route),
    ...(requestBody === undefined ? {} : { requestBody }),
    responses: {
      [route.status]: {
        description: "It worked.",
        content: { "application/json": { schema: schemaOf(route.answer, "output") } },
      },
      default: {
        description: "A refusal.",
        content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
      },
    },
  };
}

const errorSchema = {
  type: "object",
  required: ["error", "code", "request_id"],
  properties: {
    error: { type: "string", description: "A sentence for people." },
    code: { type: "string", enum: Object.keys(errorKinds) },
    request_id: { type: "string" },
    details: {
      type: "array",
      items: {
        type: "object",
        required: ["path", "message"],
        properties: { path: { type: "string" }, message: { type: "string" } },
      },
    },
    hint: { type: "string" },
    docs: { type: "string" },
    message_id: { type: "string" },
  },
};

/** The OpenAPI 3.1 document of a repository's functions, made from their schemas and `access`. */
export async function openApiDocument(root: string): Promise<Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const slug of slugs(root)) {
    const url = pathToFileURL(join(root, "functions", slug, "index.ts")).href;
    const { default: entry } = await import(url) as { default: { routes: ListedRoute[] } };
    for (const route of entry.routes) {
      (paths[`/${route.path}`] ??= {})[route.method.toLowerCase()] = operation(route);
    }
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Mailpipe",
      version: JSON.parse(read(root, "package.json")).version,
      description: "An email API that lives in your own Supabase project.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/functions/v1" }],
    paths,
    components: {
      securitySchemes: {
        api_key: {
          type: "http",
          scheme: "bearer",
          description: "mp_live_… or mp_test_…, from servers only.",
        },
        session: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description: "A Supabase session token.",
        },
        worker: { type: "http", scheme: "bearer", description: "mpw_…, or the project's secret key." },
      },
      schemas: { Error: errorSchema },
    },
  };
}

async function moduleText(root: string): Promise<string> {
  const document = JSON.stringify(await openApiDocument(root), null, 1);
  return "// Generated from the functions' schemas by tests/check/openapi-document.ts. Do not edit.\n" +
    "// deno-fmt-ignore-file\n\n/** The OpenAPI 3.1 document of this API. */\n" +
    `export const openApiDocument: Record<string, unknown> = ${document};\n`;
}

/** The function that serves the document may not import the others, so the document is generated into shared/. */
export const documentGenerated: Rule = {
  sentence: "The OpenAPI document is generated from the schemas and access",
  async check(root) {
    const wanted = await moduleText(root);
    return read(root, place) === wanted
      ? []
      : [`${place}: run node --import tsx tests/check/openapi-document.ts --write`];
  },
};

if (process.argv[1] === import.meta.filename && process.argv.includes("--write")) {
  const root = join(import.meta.dirname, "../..");
  writeFileSync(join(root, place), await moduleText(root));
}
