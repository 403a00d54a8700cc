import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Folders that hold nothing we wrote. */
const foreign = new Set(["node_modules", ".git", ".temp", ".mailpipe", ".branches", "coverage"]);

/** Paths relative to root, with forward slashes, sorted; a folder that does not exist holds no files. */
export function listFiles(root: string, folder: string, extension: string): string[] {
  const start = join(root, folder);
  if (!existsSync(start)) return [];
  const found = readdirSync(start, { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return foreign.has(entry.name) ? [] : listFiles(root, path, extension);
    return entry.isFile() && path.endsWith(extension) ? [path] : [];
  });
  return found.sort();
}

/** Every TypeScript file of several folders. */
export function typescriptIn(root: string, ...folders: string[]): string[] {
  return folders.flatMap((folder) => listFiles(root, folder, ".ts"));
}

/** The functions' slugs: each folder of functions/ is one. */
export function slugs(root: string): string[] {
  const folder = join(root, "functions");
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) =>
    entry.name
  ).sort();
}

/** A file's text; an absent file reads as empty, so that the rule about it speaks instead of a stack trace. */
export function read(root: string, path: string): string {
  const full = join(root, path);
  return existsSync(full) ? readFileSync(full, "utf8") : "";
}

/** Number of lines, not counting the end of the last one. */
export function countLines(text: string): number {
  return text === "" ? 0 : text.replace(/\n$/, "").split("\n").length;
}
