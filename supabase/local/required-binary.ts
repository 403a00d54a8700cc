import { existsSync } from "node:fs";
import { join } from "node:path";

/** The path of a program that npm installs under `root`. Throws one sentence where it is missing. */
export function requiredBinary(root: string, name: string, path: string): string {
  const binary = join(root, path);
  if (existsSync(binary)) return binary;
  throw new Error(`${name} is missing at ${binary}: run npm ci with install scripts allowed.`);
}
