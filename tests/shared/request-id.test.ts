import { expect, test } from "vitest";
import { mintKey } from "../../shared/keys.ts";
import { requestId } from "../../shared/request-id.ts";

const idOf = (given?: string) =>
  requestId(
    new Request("http://127.0.0.1/", given === undefined ? {} : { headers: { "x-request-id": given } }),
  );

test("a safe id is kept", () => {
  for (const id of ["a-Safe_id-1", "0", "a".repeat(64)]) expect(idOf(id)).toBe(id);
});

test.each([
  undefined,
  "",
  mintKey("live").plain,
  `x-${mintKey("test").plain}`,
  `mpw_${"0".repeat(60)}`,
  "a b",
  "a,b",
  "a.b",
  "é",
  '"}',
  "a".repeat(65),
])(
  "%j is replaced by one of ours",
  (given) => {
    expect(idOf(given)).toMatch(/^req_[0-9a-f]{32}$/);
  },
);

test("none of ours is like another", () => {
  expect(new Set(Array.from({ length: 100 }, () => idOf())).size).toBe(100);
});
