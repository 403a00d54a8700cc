import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { mainJob } from "./demo/main-job.ts";
import { stackOutgoing } from "./demo/outgoing.ts";
import { step } from "./demo/step.ts";
import { startStack } from "./stack.ts";
import { readStackFile, type StackFile } from "./stack-file.ts";

const HOME = fileURLToPath(new URL("../../.mailpipe", import.meta.url));

let stop = () => Promise.resolve();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => void stop().finally(() => process.exit(130)));
}
process.exitCode = await run();
await stop();
// A connection kept alive to a stack that goes on running would hold this process for seconds.
process.exit();

async function run(): Promise<number> {
  try {
    const running = await runningStack();
    // What a running stack connected to earlier was its developer's doing; of our own, everything counts.
    const before = running === undefined ? new Map<string, number>() : await stackOutgoing(running.api_url);
    const stack = running ?? await step(console.log, "Start a stack of its own", ownStack);
    const began = Date.now();
    await mainJob(stack, before, console.log);
    console.log(`\nThe main job works: ${((Date.now() - began) / 1000).toFixed(1)} s.`);
    return 0;
  } catch (error) {
    console.error(`\nThe demo failed: ${(error as Error).message}`);
    return 1;
  }
}

/** The stack that `npm start` started last, where it still answers. */
async function runningStack(): Promise<StackFile | undefined> {
  const last = await readStackFile(HOME);
  if (last === undefined) return undefined;
  const answers = await fetch(`${last.functions_url}/health`).then(({ ok }) => ok, () => false);
  if (!answers) return undefined;
  console.log(`On the stack that runs at ${last.api_url}:\n`);
  return last;
}

/** A stack on free ports, its data gone when the demo ends. */
async function ownStack(note: (text: string) => void): Promise<StackFile> {
  // Not mkdtemp: a PostgreSQL that root starts runs as another account and must enter the folder.
  const dataFolder = join(tmpdir(), `mailpipe-demo-${randomUUID()}`);
  const forget = () => rm(dataFolder, { recursive: true, force: true });
  stop = forget;
  const stack = await startStack({ dataFolder, port: 0, environment: process.env });
  stop = () => stack.stop().finally(forget);
  note(stack.file.api_url);
  return stack.file;
}
