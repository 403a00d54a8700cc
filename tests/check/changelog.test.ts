import { test } from "vitest";
import { changelogComplete } from "./changelog.ts";
import { expectOffenceThenFix } from "./tree.ts";

const five = ["Added", "Changed", "Fixed", "Security", "Database"].map((heading) => `### ${heading}\n`).join(
  "\n",
);

test("a release without one of the five headings is named", async () => {
  await expectOffenceThenFix(
    changelogComplete,
    {
      "CHANGELOG.md": `# Changelog\n\n## Unreleased\n\n${five}\n## 0.1.0\n\n${
        five.replace("### Database\n", "")
      }`,
    },
    ['"0.1.0" lacks "### Database"'],
    { "CHANGELOG.md": `# Changelog\n\n## Unreleased\n\n${five}` },
  );
});

test("a changelog without a release is named", async () => {
  await expectOffenceThenFix(changelogComplete, {}, ["CHANGELOG.md has no"], {
    "CHANGELOG.md": `## 1.0.0\n${five}`,
  });
});
