import { describe, expect, test } from "vitest";
import { z } from "zod";
import { findRoute, route } from "../../shared/route.ts";

function named(summary: string) {
  const run = () => Promise.resolve(new Response());
  return route({ summary, access: { public: true }, answer: z.unknown(), status: 200, run });
}

const routes = {
  GET: named("list"),
  POST: named("create"),
  "GET /:id": named("get"),
  "POST /:id/test": named("try"),
  "POST /:kind/:token": named("receive"),
};

function find(method: string, path: string) {
  return findRoute(routes, new Request(`https://project.example${path}`, { method }));
}

describe("a request finds its route", () => {
  test.each([
    ["GET", "/things", "list", {}],
    ["GET", "/things/", "list", {}],
    ["POST", "/things?x=/y", "create", {}],
    ["GET", "/functions/v1/things", "list", {}],
    ["GET", "/things/thg_1", "get", { id: "thg_1" }],
    ["GET", "/functions/v1/things/thg_1", "get", { id: "thg_1" }],
    ["POST", "/things/thg_1/test", "try", { id: "thg_1" }],
    ["POST", "/things/mime/t0ken", "receive", { kind: "mime", token: "t0ken" }],
    ["GET", "/things/a%2Fb", "get", { id: "a%2Fb" }],
  ])("%s %s is %s", (method, path, summary, params) => {
    const match = find(method, path);
    expect(match.route.summary).toBe(summary);
    expect(match.params).toEqual(params);
  });
});

test.each(["/things/a/b/c", "/things/functions/v1/things"])("%s is no path here", (path) => {
  expect(() => find("GET", path)).toThrow(expect.objectContaining({ code: "not_found" }));
});

test.each([["DELETE", "/things", "GET, POST"], ["HEAD", "/things/thg_1", "GET"], [
  "PUT",
  "/things/a/b",
  "POST",
]])(
  "%s %s is told the methods of its path",
  (method, path, methods) => {
    expect(() => find(method, path)).toThrow(
      expect.objectContaining({
        code: "method_not_allowed",
        particulars: expect.stringContaining(`use ${methods}`),
      }),
    );
  },
);
