import { expect, test } from "vitest";
import { Fault } from "../../shared/errors.ts";
import { describeFault } from "../../shared/fault-line.ts";

test("our own fault says what it is", () => {
  expect(describeFault(new Fault("database: 42883"))).toBe("Error: database: 42883");
});

test("a dependency's error says where it arose, and nothing of what it holds", () => {
  const line = describeFault(new TypeError("secret@example.com"));
  expect(line).toMatch(/^TypeError at /);
  expect(line).not.toContain("secret@");
});

test("what is no error is unknown", () => {
  expect(describeFault("secret")).toBe("unknown");
});
