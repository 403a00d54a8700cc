import type { Rule } from "./rule.ts";

interface Outcome {
  offences: string[];
  seconds: number;
}

async function outcome(rule: Rule, root: string): Promise<Outcome> {
  const start = performance.now();
  const ended = (offences: string[]) => ({ offences, seconds: (performance.now() - start) / 1000 });
  try {
    const found = rule.check(root);
    // An await would let every other rule run first and count its time, too.
    return ended(Array.isArray(found) ? found : await found);
  } catch (error) {
    return ended([`the rule itself failed: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

function lines({ sentence }: Rule, { offences, seconds }: Outcome): string[] {
  const mark = offences.length === 0 ? "✓" : "✗";
  return [`${mark} ${sentence} (${seconds.toFixed(1)} s)`, ...offences.map((offence) => `    ${offence}`)];
}

/**
 * Tries every rule and prints each by its sentence, broken ones with their offences; true when all hold.
 * All are started before any is awaited: the compilers are processes of their own and share the machine's cores.
 */
export async function report(rules: Rule[], root: string, print: (line: string) => void): Promise<boolean> {
  const running = rules.map((rule) => ({ rule, result: outcome(rule, root) }));
  let holds = true;
  for (const { rule, result } of running) {
    const finished = await result;
    for (const line of lines(rule, finished)) print(line);
    holds &&= finished.offences.length === 0;
  }
  return holds;
}
