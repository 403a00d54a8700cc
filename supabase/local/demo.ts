// First, so that what the others do while they are loaded is seen.
import "./own-connections.ts";
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stackOutgoing } from "./demo/outgoing.ts";
import { type Opened, runDemo } from "./demo/run.ts";
import { step } from "./demo/step.ts";
import { removeDataDir } from "./postgres-cluster.ts";
import { type Stack, startStack } from "./stack.ts";
import { readStackFile, type StackFile } from "./stack-file.ts";

const HOME = fileURLToPath(new URL("../../.mailpipe", import.meta.url));

// Not mkdtemp: a PostgreSQL that root starts runs as another account and must enter the folder.
const dataFolder = join(tmpdir(), `mailpipe-demo-${randomUUID()}`);
let starting: Promise<Stack> | undefined;
let ending: Promise<void> | undefined;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  // Once: a second signal does not wait, and what still runs ends by itself once this process is gone.
  process.once(signal, () => void end().finally(() => process.exit(130)));
}
const code = await runDemo(open, (line) => void (ending ?? console.log(line)));
await end();
// A connection kept alive to a stack that goes on running would hold this process for seconds.
process.exit(code);

async function open(): Promise<Opened> {
  const running = await runningStack();
  if (running !== undefined) return { stack: running, before: await stackOutgoing(running.api_url) };
  return { stack: await step(console.log, "Start a stack of its own", ownStack), before: new Map() };
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

/** A stack on free ports, whose data goes with it. */
async function ownStack(note: (text: string) => void): Promise<StackFile> {
  starting = startStack({ dataFolder, port: 0, environment: process.env });
  const { file } = await starting;
  note(file.api_url);
  return file;
}

/** Ends what this process started, once, however often it is asked to. */
function end(): Promise<void> {
  ending ??= (async () => {
    const stack = await starting?.catch(() => undefined);
    await stack?.stop();
    removeDataDir(join(dataFolder, "postgres"));
    await rm(dataFolder, { recursive: true, force: true });
  })();
  return ending;
}
