import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";

const readme = resolve(import.meta.dirname, "../../README.md");

/** The fenced code between `<!-- name:begin -->` and `<!-- name:end -->` of the README. */
export async function readBlock(name: string): Promise<string> {
  const text = await readFile(readme, "utf8");
  const block = new RegExp(`<!-- ${name}:begin -->\\s*\`\`\`\\w+\\n([^]*?)\`\`\`\\s*<!-- ${name}:end -->`)
    .exec(text);
  if (block?.[1] === undefined) throw new Error(`README.md has no block ${name}`);
  return block[1];
}

/** A block of shell as its numbered steps, each run by its number. */
export interface Steps {
  count: number;
  /** Runs one step with bash in the folder; what it printed. Rejects when it fails. */
  run(number: number): Promise<string>;
}

/** The steps of a block, split at its `# 1. ` comments. */
export async function readSteps(name: string, cwd: string, env: Record<string, string>): Promise<Steps> {
  const steps = (await readBlock(name)).split(/^(?=# \d+\. )/m);
  return {
    count: steps.length,
    async run(number) {
      const command = steps[number - 1] ?? "";
      expect(command).toMatch(new RegExp(`^# ${number}\\. `));
      const { stdout } = await promisify(execFile)("bash", ["-euo", "pipefail", "-c", command], {
        cwd,
        env: { PATH: `${join(readme, "../node_modules/.bin")}:${process.env["PATH"]}`, HOME: cwd, ...env },
        timeout: 60_000,
      });
      return stdout;
    },
  };
}
