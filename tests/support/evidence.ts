import { Buffer } from "node:buffer";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Secret } from "./secret-kinds.ts";

/** A secret that was seeded, and by which test file. */
export interface Seeded extends Secret {
  by: string;
}

/** Where a secret must not stand. A full run must have looked at each. */
export const sources = [
  "dump",
  "server log",
  "pg_stat_statements",
  "pg_stat_activity",
  "error body",
  "function log",
  "stored object",
] as const;
export type Source = (typeof sources)[number];

// Opens a text's first line. One that has it inside is searched all the same, only under a stranger name.
const mark = "\u0001";

/**
 * The run's folder: what was seeded, and what is to be searched, written by every process of the run and read
 * when all have ended. It holds secrets in plain, so it is private and goes with the run.
 */
export function makeEvidence(): string {
  return mkdtempSync(join(tmpdir(), "mailpipe-evidence-"));
}

/** Adds secrets, a line each. */
export function addSecrets(folder: string, secrets: readonly Seeded[]): void {
  const lines = secrets.map((secret) => `${JSON.stringify(secret)}\n`).join("");
  if (lines !== "") appendFileSync(join(folder, `seeded-${process.pid}`), lines);
}

/** Adds a text to be searched; `place` says where it stood, for who reads the report. */
export function addEvidence(folder: string, source: Source, place: string, text: string | Uint8Array): void {
  const whole = [
    Buffer.from(`${mark}${source}: ${place}\n`),
    typeof text === "string" ? Buffer.from(text) : text,
    Buffer.from("\n"),
  ];
  appendFileSync(join(folder, `said-${process.pid}`), Buffer.concat(whole));
}

/** Every secret of the run. */
export function readSecrets(folder: string): Seeded[] {
  return readdirSync(folder).filter((name) => name.startsWith("seeded-")).flatMap((name) =>
    readFileSync(join(folder, name), "utf8").trim().split("\n").map((line) => JSON.parse(line) as Seeded)
  );
}

/** One text that was added. */
export interface Said {
  source: Source;
  place: string;
  text: Buffer;
}

/** Every text of the run, one file in memory at a time. */
export function* readEvidence(folder: string): Generator<Said> {
  for (const name of readdirSync(folder).filter((each) => each.startsWith("said-"))) {
    const whole = readFileSync(join(folder, name));
    for (let start = 0; start < whole.length;) {
      const next = whole.indexOf(`\n${mark}`, start);
      const end = next === -1 ? whole.length : next + 1;
      const line = whole.indexOf("\n", start);
      const [, source = "", place = ""] = /^.([^:]+): (.*)$/.exec(whole.toString("utf8", start, line)) ?? [];
      yield { source: source as Source, place, text: whole.subarray(line + 1, end) };
      start = end;
    }
  }
}
