import { relative } from "node:path";
import { expect, inject } from "vitest";
import { addEvidence, addSecrets, type Source } from "./evidence.ts";
import { type Secret, secretsIn, shapesIn } from "./secret-kinds.ts";

const shortest = 12;
const noted = new Set<string>();

/** The test file that is running, as a reader of the report types it. */
export function testFile(): string {
  return relative(process.cwd(), expect.getState().testPath ?? "");
}

/**
 * Notes secrets that this test file seeded or was given; after the run nothing kept may hold one. One that could stand
 * somewhere by chance cannot be searched for, so the fixture is asked for another.
 */
export function noteSecrets(secrets: readonly Secret[]): void {
  const fresh = secrets.filter(({ kind, text }) => text !== "" && !noted.has(`${kind} ${text}`));
  for (const { kind, text } of fresh) {
    if (text.length < shortest) {
      throw new Error(`"${text}" is too short a ${kind} to be searched for: give it ${shortest} characters.`);
    }
    noted.add(`${kind} ${text}`);
  }
  addSecrets(inject("evidence"), fresh.map((secret) => ({ ...secret, by: testFile() })));
}

/** Keeps a text for the search after the run. */
export function noteEvidence(source: Source, place: string, text: string | Uint8Array): void {
  addEvidence(inject("evidence"), source, `${place}, ${testFile()}`, text);
}

function slugOf(path: string): string {
  return path.split(/[/?]/)[0] ?? "";
}

/** Notes what a request to a function carries: credentials in its headers and path, well-formed or mistyped. */
export function noteRequest({ url, headers }: Request): void {
  noteSecrets(shapesIn([url, ...headers.values()].join("\n")));
}

/** Notes the secrets of a body given to a function, or of arguments given to its database function. */
export function noteBody(path: string, body: unknown): void {
  noteSecrets(secretsIn(body, slugOf(path)));
}

/** Notes what a function answered: what it shows once is a secret, and a refusal must hold none. */
export function noteAnswer(path: string, status: number, text: string): void {
  if (status >= 400) return noteEvidence("error body", `${status} of ${slugOf(path)}`, text);
  // The API's own description names every field, and none of its values.
  if (slugOf(path) !== "openapi" && /^[[{]/.test(text)) noteBody(path, JSON.parse(text));
}
