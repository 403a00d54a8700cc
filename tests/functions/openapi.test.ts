import { readdirSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import openapi from "../../functions/openapi/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";

let api: Api;
let document: Record<string, unknown>;

beforeAll(async () => {
  keepLog();
  api = await startApi();
  document = (await ask(openapi, "openapi")).body;
});
afterAll(() => api.close());

describe("openapi", () => {
  test("is OpenAPI 3.1 by a maintained validator's word", async () => {
    const verdict = await new Validator().validate(structuredClone(document));
    expect(verdict.errors ?? []).toEqual([]);
    expect(verdict.valid).toBe(true);
    expect(document.openapi).toMatch(/^3\.1\./);
  });

  test("describes every function", () => {
    const slugs = readdirSync(new URL("../../functions/", import.meta.url));
    const described = Object.keys(document.paths as object).map((path) =>
      path.replace(/^.*?\/?([\w-]+)(\/\{.*)?$/, "$1")
    );
    expect(slugs.filter((slug) => !described.includes(slug))).toEqual([]);
  });

  test("asks neither the database nor anybody else", () => {
    expect(api.calls).toEqual([]);
  });
});
