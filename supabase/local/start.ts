// First, so that what the others do while they are loaded is seen.
import "./own-connections.ts";
import { join, resolve } from "node:path";
import { type Stack, startStack } from "./stack.ts";
import { type StackFile, writeStackFile } from "./stack-file.ts";

/** npm runs this in the repository's root, wherever it was called. */
const HOME = resolve(".mailpipe");
const DEFAULT_PORT = 54321;

const began = Date.now();
const dataFolder = resolve(process.env.MAILPIPE_DATA || join(HOME, "data"));
const starting = open();
let asked = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void close());

try {
  const { file } = await starting;
  await writeStackFile(HOME, file);
  console.log(welcome(file, (Date.now() - began) / 1000));
} catch (error) {
  // Every refusal of the stack is one sentence for the operator.
  if (!asked) console.error((error as Error).message);
  process.exit(asked ? 0 : 1);
}

async function open(): Promise<Stack> {
  const port = Number(process.env.MAILPIPE_PORT || DEFAULT_PORT);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Error(`MAILPIPE_PORT is ${process.env.MAILPIPE_PORT}: it must be a port between 1 and 65535.`);
  }
  return await startStack({ dataFolder, port, environment: process.env });
}

/** A second signal does not wait: what still runs ends by itself once this process is gone. */
async function close(): Promise<void> {
  if (asked) process.exit(1);
  asked = true;
  // A start that fails has already ended its parts.
  await starting.then((stack) => stack.stop(), () => {});
  process.exit(0);
}

function welcome(stack: StackFile, seconds: number): string {
  return `Mailpipe is up after ${seconds.toFixed(1)} s. Ctrl-C stops it, the data stays in ${dataFolder}.

  Functions  ${stack.functions_url}
  Database   ${stack.db_url}
  Mail sent  ${stack.mail_url}
  Test key   ${stack.keys.test}
  The rest   ${join(dataFolder, "stack.json")}

Three calls to try:

  export MAILPIPE_API_KEY=${stack.keys.test}

  curl ${stack.functions_url}/whoami -H "authorization: Bearer $MAILPIPE_API_KEY"

  curl ${stack.functions_url}/send-mail -H "authorization: Bearer $MAILPIPE_API_KEY" \\
    -H "content-type: application/json" \\
    -d '{ "from": "${stack.from}", "to": ["you@example.net"], "subject": "Hello", "text": "It works." }'

  curl ${stack.functions_url}/messages -H "authorization: Bearer $MAILPIPE_API_KEY"
`;
}
