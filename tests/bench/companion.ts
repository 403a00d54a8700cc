import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Endings } from "./project.ts";

/** What a companion can be asked, by name: each question takes a value or none, and has one for an answer, all JSON. */
export type Questions = Record<string, (asked: never) => unknown>;

/** Asks a process that a measurement must not share its event loop with. */
export type Companion<Known extends Questions> = <Name extends keyof Known & string>(
  name: Name,
  ...asked: Parameters<Known[Name]>
) => Promise<Awaited<ReturnType<Known[Name]>>>;

interface Asked {
  number: number;
  name: string;
  asked: unknown;
}

interface Answered {
  number: number;
  answer?: unknown;
  error?: string;
}

/**
 * Starts the script beside this file under Node, with `environment` added to this process's; `endings` end it. What it is
 * asked rejects once it has ended.
 */
export function startCompanion<Known extends Questions>(
  script: string,
  environment: Record<string, string>,
  endings: Endings,
): Companion<Known> {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), {
    env: { ...process.env, ...environment },
    execArgv: ["--import", "tsx"],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  endings.push(() => child.kill());
  const ask = asking(child, script);
  return ((name: string, asked: unknown) => ask(name, asked)) as Companion<Known>;
}

function asking(child: ChildProcess, script: string): (name: string, asked: unknown) => Promise<unknown> {
  const waiting = new Map<number, (answered: Answered) => void>();
  const over = (number: number): Answered => ({ number, error: `${script} ended.` });
  child.on("message", (answered: Answered) => waiting.get(answered.number)?.(answered));
  child.once("exit", () => waiting.forEach((tell, number) => tell(over(number))));
  let questions = 0;
  return (name, asked) => {
    const number = questions++;
    return new Promise((resolve, reject) => {
      const tell = ({ answer, error }: Answered) => {
        waiting.delete(number);
        return error === undefined ? resolve(answer) : reject(new Error(error));
      };
      waiting.set(number, tell);
      if (child.exitCode !== null || !child.connected) return tell(over(number));
      child.send({ number, name, asked } satisfies Asked);
    });
  };
}

/** What a companion's script calls: it answers each question of its parent, and ends with it. */
export function answerAsCompanion(questions: Questions): void {
  const tell = (answered: Answered) => void process.send?.(answered);
  process.on("message", ({ number, name, asked }: Asked) => {
    Promise.resolve().then(() => questions[name]?.(asked as never)).then(
      (answer) => tell({ number, answer }),
      (error: unknown) => tell({ number, error: String(error) }),
    );
  });
  process.once("disconnect", () => process.exit(0));
}
