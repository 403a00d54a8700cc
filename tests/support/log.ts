import { vi } from "vitest";

/** Keeps what functions log, one line each, from the test's output. Call it in `beforeAll`. */
export function keepLog(): string[] {
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: unknown) => void lines.push(String(line)));
  return lines;
}
