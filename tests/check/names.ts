import type { Rule } from "./rule.ts";
import { listFiles } from "./sources.ts";

const vague = /^(util|utils|helper|helpers|common|misc)$/;

/** House style: a file is one idea, and its name is that idea. */
export const namesSpeak: Rule = {
  sentence: "No file is named utils, helpers, common or misc",
  check: (root) =>
    ["functions", "shared", "supabase", "tests"]
      .flatMap((folder) => listFiles(root, folder, ""))
      .filter((path) => path.split("/").some((part) => vague.test(part.replace(/\..*$/, ""))))
      .map((path) => `${path}: name it after its one idea`),
};
