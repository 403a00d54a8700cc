import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { read } from "./sources.ts";

const marks = (name: string) => [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`] as const;

/** The README with the text between a section's two marks; undefined when a mark is missing. */
export function withSection(readme: string, name: string, text: string): string | undefined {
  const [begin, end] = marks(name);
  const [before, rest] = readme.split(begin, 2);
  const after = rest?.split(end, 2)[1];
  if (before === undefined || after === undefined) return undefined;
  return `${before}${begin}\n\n${text}\n\n${end}${after}`;
}

/** What is wrong with a generated section of the README; `script` is what writes it. */
export function sectionFaults(root: string, name: string, text: string, script: string): string[] {
  const readme = read(root, "README.md");
  const wanted = withSection(readme, name, text);
  if (wanted === undefined) return [`README.md lacks ${marks(name).join(" … ")}`];
  return wanted === readme ? [] : [`README.md: run node --import tsx tests/check/${script} --write`];
}

/** Writes a generated section into the README; what stopped it, if something did. */
export function writeSection(root: string, name: string, text: string): string[] {
  const wanted = withSection(read(root, "README.md"), name, text);
  if (wanted === undefined) return [`README.md lacks ${marks(name).join(" … ")}`];
  writeFileSync(join(root, "README.md"), wanted);
  return [];
}

/** A row of a table of Markdown. */
export function tableRow(cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replace(/\s+/g, " ").trim()).join(" | ")} |`;
}
