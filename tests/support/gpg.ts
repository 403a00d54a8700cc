import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whether this machine has GnuPG, which shares no line of code with pgcrypto. */
export const gpgInstalled = spawnSync("gpg", ["--version"]).status === 0;

/** Said in a test's name, so that a report without gpg cannot be read as one with it. */
export const gpgName = gpgInstalled ? "gpg" : "NOT RUN, FOR gpg IS NOT INSTALLED: gpg";

if (!gpgInstalled) {
  console.warn("gpg is not installed: what it would prove of our ciphertexts is not proved.");
}

/** What gpg made of a message: the plain text, or why it refused. */
export interface Opened {
  status: number | null;
  plain: string;
  said: string;
}

/** Decrypts a message with a passphrase, in a home folder of its own that is removed. The passphrase goes by a pipe. */
export async function decryptWithGpg(message: Uint8Array | string, passphrase: string): Promise<Opened> {
  const home = mkdtempSync(join(tmpdir(), "mailpipe-gpg-"));
  try {
    return await run(home, message, passphrase);
  } finally {
    spawnSync("gpgconf", ["--homedir", home, "--kill", "all"]);
    rmSync(home, { recursive: true, force: true });
  }
}

async function run(home: string, message: Uint8Array | string, passphrase: string): Promise<Opened> {
  const options = ["--batch", "--no-tty", "--pinentry-mode", "loopback", "--passphrase-fd", "3", "--decrypt"];
  const gpg = spawn("gpg", ["--homedir", home, ...options], { stdio: ["pipe", "pipe", "pipe", "pipe"] });
  const [, stdout, stderr, secret] = gpg.stdio;
  let [plain, said] = ["", ""];
  stdout.setEncoding("utf8").on("data", (text: string) => plain += text);
  stderr.setEncoding("utf8").on("data", (text: string) => said += text);
  // It may refuse before it has read everything.
  for (const pipe of [gpg.stdin, secret as NodeJS.WritableStream]) pipe.on("error", () => {});
  (secret as NodeJS.WritableStream).end(`${passphrase}\n`);
  gpg.stdin.end(message);
  const status = await new Promise<number | null>((done) => gpg.once("close", done));
  return { status, plain, said };
}
