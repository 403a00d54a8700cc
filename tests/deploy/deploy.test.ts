import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { resolve } from "node:path";
import { closure } from "../check/imports.ts";
import { loadProducts, type Route } from "../check/product.ts";
import { slugs } from "../check/sources.ts";
import { deploy, type Deployment, paths, totalBytes } from "./deployment.ts";
import { serve, type Served } from "./served.ts";

const repository = resolve(import.meta.dirname, "../..");
const nodeModules = resolve(repository, "node_modules");

/** The server-side bundler's limit for one project's sources (platform.md §1.1). */
const bundleLimit = 5 * 1024 * 1024;

let deployment: Deployment;

beforeAll(async () => {
  deployment = await deploy(repository);
});

afterAll(() => deployment?.remove());

describe("functions deploy --use-api", () => {
  test("succeeds without a single warning, and asks for nothing the platform does not have", () => {
    expect(deployment.run.output).not.toMatch(/WARN/i);
    expect(deployment.run.code).toBe(0);
    expect(deployment.api.unknown).toEqual([]);
  });

  test("makes every function of the folder live, and no other", () => {
    const live = deployment.uploads.filter((upload) => upload.live).map((upload) => upload.slug);
    expect(live.sort()).toEqual(slugs(repository));
  });

  test("uploads exactly what each function imports, and deno.json", () => {
    const sent = Object.fromEntries(deployment.uploads.map((upload) => [upload.slug, paths(upload)]));
    for (const [slug, files] of Object.entries(sent)) console.log(`${slug}\n    ${files.join("\n    ")}`);
    const wanted = slugs(repository).map((slug) => {
      const imported = [...closure(repository, `functions/${slug}/index.ts`).keys()];
      return [slug, [...imported, "deno.json"].sort()];
    });
    expect(sent).toEqual(Object.fromEntries(wanted));
  });

  test("leaves the credential check to the function and names the shared import map", () => {
    for (const { slug, metadata } of deployment.uploads) {
      expect(metadata).toEqual({
        name: slug,
        entrypoint_path: `functions/${slug}/index.ts`,
        import_map_path: "deno.json",
        verify_jwt: false,
        static_patterns: [],
      });
    }
  });

  test("sends less than the platform bundles", () => {
    expect(totalBytes(deployment.uploads)).toBeLessThan(bundleLimit);
  });
});

/** Routes a customer's server or browser calls, each with a path that exists. */
async function guarded(): Promise<Route[]> {
  const { products, faults } = await loadProducts(repository);
  expect(faults).toEqual([]);
  return products.flatMap(({ routes }) => routes)
    .filter(({ access }) => "scope" in access || "session" in access || "caller" in access)
    .map((route) => ({ ...route, path: route.path.replace(/^\//, "").replace(/\{\w+\}|<\w+>|:\w+/g, "x") }));
}

describe("what was uploaded, under Deno 2.1.4 in a clean folder", () => {
  let served: Served;

  beforeAll(async () => {
    served = await serve(deployment, nodeModules);
  });

  afterAll(() => served?.stop());

  test("lets a page ask first", async () => {
    for (const { method, path } of await guarded()) {
      const preflight = await served.ask("OPTIONS", path, {
        origin: "https://app.example.com",
        "access-control-request-method": method,
        "access-control-request-headers": "authorization, content-type",
      });
      expect([path, preflight.status]).toEqual([path, 204]);
      expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
      expect(preflight.headers.get("access-control-allow-headers")).toContain("authorization");
    }
  });

  test("refuses a request without a credential on every guarded route", async () => {
    const routes = await guarded();
    expect(routes.length).toBeGreaterThan(0);
    for (const { method, path } of routes) {
      const refused = await served.ask(method, path, { "content-type": "application/json" });
      expect([method, path, refused.status, await refused.json()]).toEqual([
        method,
        path,
        401,
        expect.objectContaining({ code: "missing_credential", error: expect.any(String) }),
      ]);
    }
  });

  test("says that its database is away", async () => {
    const health = await served.ask("GET", "health");
    expect(health.status).toBe(503);
    expect(health.headers.get("content-type")).toMatch(/^application\/json/);
  });

  test("describes itself", async () => {
    const openapi = await served.ask("GET", "openapi");
    expect(openapi.status).toBe(200);
    expect(await openapi.json()).toMatchObject({ openapi: expect.stringMatching(/^3\.1\./) });
  });
});
