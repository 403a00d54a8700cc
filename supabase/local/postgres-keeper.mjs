// Owns one postmaster and ends it when our stdin closes, which the kernel does for us even when the
// process that started us was killed with -9. Plain JavaScript: it must start without a loader.
import { spawn } from "node:child_process";

// Beyond this a fast shutdown hangs on a stuck backend; SIGQUIT leaves recovery to the next start.
const FAST_SHUTDOWN_MS = 10_000;

const { command, args, account, env } = JSON.parse(process.argv[2]);
// Its own session: a Ctrl-C in the terminal reaches the stack, which then stops us in its own order.
const postmaster = spawn(command, args, {
  ...account,
  env,
  cwd: "/",
  detached: true,
  stdio: ["ignore", "inherit", "inherit"],
});

postmaster.on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});
postmaster.on("exit", (code) => process.exit(code ?? 1));
process.stdin.resume().on("close", () => {
  postmaster.kill("SIGINT");
  setTimeout(() => postmaster.kill("SIGQUIT"), FAST_SHUTDOWN_MS);
});
