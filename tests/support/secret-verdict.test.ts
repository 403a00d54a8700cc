import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { addEvidence, addSecrets, makeEvidence, sources } from "./evidence.ts";
import type { AllowedPlace } from "./allowed-places.ts";
import { secretKinds } from "./secret-kinds.ts";
import { judge } from "./secret-verdict.ts";

let folder: string;
const by = "tests/a.test.ts";
const allowances: AllowedPlace[] = [
  {
    source: "dump",
    place: /^net\.http_request_queue,/,
    kind: "workers' secret",
    reason: "for the test's sake",
  },
];
const complaints = (whole: boolean) => judge(folder, whole, allowances).complaints;

beforeEach(() => void (folder = makeEvidence()));
afterEach(() => rmSync(folder, { recursive: true }));

/** A run that seeded every kind, looked everywhere and met what it may meet. */
function wholeRun(without: string): void {
  addSecrets(
    folder,
    secretKinds.filter((kind) => kind !== without).map((kind) => ({ kind, text: `one ${kind}.`, by })),
  );
  for (const source of sources.filter((each) => each !== without)) {
    addEvidence(folder, source, "somewhere", "nothing");
  }
  if (without !== "allowances") {
    addEvidence(folder, "dump", "net.http_request_queue, tests/a.test.ts", "one workers' secret.");
  }
}

describe("the verdict on a whole run", () => {
  test("is clean when every kind was seeded, every source searched and every allowance needed", () => {
    wholeRun("nothing");
    expect(complaints(true)).toEqual([]);
  });

  test("complains when no secret was noted at all", () => {
    expect(complaints(true)).toHaveLength(
      secretKinds.length + sources.length + allowances.length,
    );
  });

  test.each([
    ...secretKinds.filter((kind) => kind !== "workers' secret"),
    ...sources.filter((each) => each !== "dump"),
  ])(
    "complains when there was no %s",
    (missing) => {
      wholeRun(missing);
      expect(complaints(true)).toEqual([expect.stringMatching(new RegExp(`no .*${missing}`))]);
    },
  );

  test("complains of an allowance nothing needs", () => {
    wholeRun("allowances");
    expect(complaints(true)).toEqual([expect.stringContaining("nothing needs it")]);
  });
});

describe("the verdict on a part of one", () => {
  test("is clean with nothing seeded", () => {
    expect(complaints(false)).toEqual([]);
  });

  test("allows a secret in the place that is allowed, and in no other, nor another secret in it", () => {
    wholeRun("nothing");
    addEvidence(folder, "dump", "mailpipe.jobs, tests/a.test.ts", "one workers' secret.");
    addEvidence(folder, "dump", "net.http_request_queue, tests/b.test.ts", "one API key.");
    expect(complaints(false)).toEqual([
      `dump: mailpipe.jobs, tests/a.test.ts holds in plain a secret (workers' secret) seeded by ${by}.`,
      `dump: net.http_request_queue, tests/b.test.ts holds in plain a secret (API key) seeded by ${by}.`,
    ]);
  });

  test("says a leak once for each place and test file, however often it stands there", () => {
    addSecrets(folder, ["the first one", "the second one"].map((text) => ({ kind: "passphrase", text, by })));
    for (const text of ["the first one", "the second one", "the first one"]) {
      addEvidence(folder, "function log", "a line", text);
    }
    expect(complaints(false)).toHaveLength(1);
  });
});
