import { describe, expect, test } from "vitest";
import { z } from "zod";
import { preflight, withCors } from "../../shared/cors.ts";
import { route } from "../../shared/route.ts";

const run = () => Promise.resolve(new Response());
const any = route({ summary: "", access: { public: true }, answer: z.unknown(), status: 200, run });

function list(response: Response, name: string): string[] {
  return (response.headers.get(name) ?? "").split(", ");
}

describe("a page of any origin", () => {
  test("may read an answer, without credentials mode", () => {
    const { headers } = withCors(new Response());
    expect(headers.get("access-control-allow-origin")).toBe("*");
    expect(headers.has("access-control-allow-credentials")).toBe(false);
  });

  test("may read the headers our answers speak in", () => {
    const exposed = list(withCors(new Response()), "access-control-expose-headers");
    expect(exposed).toEqual(expect.arrayContaining(["x-request-id", "retry-after", "idempotent-replayed"]));
  });

  test("may send what a session's call needs", () => {
    const response = preflight({ GET: any });
    expect(response.status).toBe(204);
    expect(list(response, "access-control-allow-headers")).toEqual(expect.arrayContaining([
      "authorization",
      "apikey",
      "content-type",
      "x-client-info",
      "x-organization-id",
      "x-mailpipe-environment",
      "idempotency-key",
    ]));
  });

  test("is told the function's methods, each once", () => {
    const response = preflight({ GET: any, "GET /:id": any, "PATCH /:id": any });
    expect(list(response, "access-control-allow-methods")).toEqual(["GET", "PATCH"]);
  });
});
