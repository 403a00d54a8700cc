import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { ApiError, errorKinds, isErrorCode, renderError } from "../../shared/errors.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

function sources(folder: string, ending: string): { name: string; text: string }[] {
  return readdirSync(root + folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .map((name) => ({ name, text: readFileSync(`${root}${folder}/${name}`, "utf8") }));
}

const migrations = sources("supabase/migrations", ".sql");
const product = [...sources("functions", ".ts"), ...sources("shared", ".ts")];

/** Every refusal the migrations raise: `raise sqlstate 'PT4xx' using message = 'code'`. */
const raised = migrations.flatMap(({ name, text }) =>
  [...text.matchAll(/raise\s+sqlstate\s+'PT(\d{3})'(?:\s+using\s+message\s*=\s*'([a-z_]+)')?/g)]
    .map(([statement, status, code]) => ({ name, statement, status: Number(status), code }))
);

describe("the registry", () => {
  test.each(Object.entries(errorKinds))(
    "%s has a refusal's status and a sentence for people",
    (code, kind) => {
      expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
      expect(kind.status).toBeGreaterThanOrEqual(400);
      expect(kind.status).toBeLessThan(600);
      expect(kind.sentence).toMatch(/^[A-Z][^.]*\.$/);
      if ("hint" in kind) expect(kind.hint).toMatch(/^[A-Z].*\.$/);
    },
  );

  test.each(Object.keys(errorKinds))("%s is raised or thrown somewhere", (code) => {
    const thrown = product.some(({ name, text }) =>
      name !== "errors.ts" && new RegExp(`ApiError\\(\\s*"${code}"`).test(text)
    );
    expect(thrown || raised.some((each) => each.code === code)).toBe(true);
  });

  test("knows its own codes and nothing an object inherits", () => {
    expect(isErrorCode("not_found")).toBe(true);
    for (const name of ["toString", "__proto__", "constructor", "", "NOT_FOUND"]) {
      expect(isErrorCode(name)).toBe(false);
    }
  });
});

describe("the migrations", () => {
  test("raise refusals", () => {
    expect(raised.length).toBeGreaterThan(20);
    const count = migrations.reduce(
      (sum, { text }) => sum + (text.match(/raise sqlstate 'PT\d{3}'/g)?.length ?? 0),
      0,
    );
    expect(raised).toHaveLength(count);
  });

  test.each(raised)("raise $code with the registry's status, $status ($name)", ({ code, status }) => {
    expect(code).toBeDefined();
    expect(isErrorCode(code ?? "")).toBe(true);
    expect(errorKinds[code as keyof typeof errorKinds].status).toBe(status);
  });
});

describe("an answer", () => {
  test("has sentence, code, request id, hint and where to read on", () => {
    expect(renderError(new ApiError("missing_credential"), "req_1")).toEqual({
      error: "No credential was sent.",
      code: "missing_credential",
      request_id: "req_1",
      hint: errorKinds.missing_credential.hint,
      docs: "/functions/v1/openapi",
    });
  });

  test("puts one particular into the sentence, and one entry per field beside it", () => {
    expect(renderError(new ApiError("payload_too_large", "at most 5 bytes"), "r")["error"])
      .toBe("The request is larger than this call takes: at most 5 bytes.");
    const details = [{ path: "to[0]", message: "is not an address" }];
    expect(renderError(new ApiError("invalid_request", details), "r")).toMatchObject({
      error: "The request has fields that are not valid.",
      details,
    });
  });

  test("carries the message's id where one was stored", () => {
    expect(renderError(new ApiError("outcome_unknown", undefined, { message_id: "msg_1" }), "r"))
      .toMatchObject({ code: "outcome_unknown", message_id: "msg_1" });
  });
});
