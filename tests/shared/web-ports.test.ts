import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { isWebPort } from "../../shared/web-ports.ts";

/** Undici's own copy of the Fetch standard's table, to tell when ours is behind. */
const { badPorts } = createRequire(import.meta.url)("undici/lib/web/fetch/constants.js") as {
  badPorts: string[];
};

test("a scheme's own port and 443 are for the web, and nothing else below 1024", () => {
  expect(isWebPort("")).toBe(true);
  const open = Array.from({ length: 1024 }, (_, port) => String(port)).filter(isWebPort);
  expect(open).toEqual(["443"]);
});

test("from 1024 on, every port but the Fetch standard's bad ones", () => {
  const blocked = Array.from({ length: 65_536 - 1024 }, (_, index) => String(1024 + index)).filter(
    (port) => !isWebPort(port),
  );
  expect(blocked).toEqual(badPorts.filter((port) => Number(port) >= 1024));
  expect(blocked).toContain("10080");
});
