import type { Rule } from "./rule.ts";
import { read } from "./sources.ts";

const headings = ["Added", "Changed", "Fixed", "Security", "Database"];

function missing(section: string): string[] {
  const [title = ""] = section.split("\n", 1);
  const present = new Set([...section.matchAll(/^### (.+?)\s*$/gm)].map((match) => match[1]));
  return headings.filter((heading) => !present.has(heading)).map((heading) =>
    `CHANGELOG.md: "${title.trim()}" lacks "### ${heading}"`
  );
}

/** Fixed headings, so that an owner finds under Database what a migration locks, in every release. */
export const changelogComplete: Rule = {
  sentence: "CHANGELOG has the five headings in every release",
  check(root) {
    const sections = read(root, "CHANGELOG.md").split(/^## /m).slice(1);
    return sections.length === 0 ? ['CHANGELOG.md has no "## " section'] : sections.flatMap(missing);
  },
};
