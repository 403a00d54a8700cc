import { expect, test } from "vitest";
import { z } from "zod";
import { ApiError } from "../../shared/errors.ts";
import { fieldPath, validate } from "../../shared/validate.ts";

const Body = z.strictObject({
  name: z.string().max(5),
  to: z.array(z.strictObject({ email: z.string() })).optional(),
});

function refusal(given: unknown): ApiError {
  try {
    validate(Body, given);
  } catch (error) {
    expect(error).toBeInstanceOf(ApiError);
    return error as ApiError;
  }
  throw new Error("it was accepted");
}

test("what fits is given back as the schema yields it", () => {
  expect(validate(z.object({ limit: z.coerce.number() }), { limit: "5" })).toEqual({ limit: 5 });
});

test("every wrong field is named where it stands", () => {
  const { code, particulars } = refusal({ name: 7, to: [{ email: "a" }, { email: null }] });
  expect(code).toBe("invalid_request");
  expect(particulars).toEqual([
    { path: "name", message: expect.any(String) },
    { path: "to[1].email", message: expect.any(String) },
  ]);
});

test("each unknown field is an entry of its own, nested ones with their path", () => {
  const { particulars } = refusal({ name: "a", org_id: 1, scopes: [], to: [{ email: "a", is_admin: true }] });
  const message = "there is no such field";
  expect(particulars).toEqual(expect.arrayContaining([
    { path: "org_id", message },
    { path: "scopes", message },
    { path: "to[0].is_admin", message },
  ]));
});

test("a wrong value is not repeated in the answer", () => {
  expect(JSON.stringify(refusal({ name: "mp_live_secret" }).particulars)).not.toContain("secret");
});

test("a body wrong in a hundred places is told twenty", () => {
  expect(refusal({ name: "a", to: Array.from({ length: 100 }, () => ({ email: 1 })) }).particulars)
    .toHaveLength(20);
  const unknown = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`x${index}`, 1]));
  expect(refusal({ name: "a", ...unknown }).particulars).toHaveLength(20);
});

test("a path is written as in JavaScript, an array's own with its index first", () => {
  expect(fieldPath(["to", 0, "email"])).toBe("to[0].email");
  expect(fieldPath([3, "to", 0])).toBe("[3].to[0]");
  expect(fieldPath([])).toBe("");
});
