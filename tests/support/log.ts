import { vi } from "vitest";
import { noteEvidence } from "./secret-register.ts";

/** Keeps what functions log, one line each, from the test's output. Call it in `beforeAll`. */
export function keepLog(): string[] {
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: unknown) => {
    lines.push(String(line));
    noteEvidence("function log", "a line", String(line));
  });
  return lines;
}
