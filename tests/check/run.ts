/** `npm run check`: every rule of the repository by its own sentence; exits 1 if one is broken. */
import { resolve } from "node:path";
import { report } from "./report.ts";
import { rules } from "./rules.ts";

const holds = await report(rules, resolve(import.meta.dirname, "../.."), console.log);
process.exitCode = holds ? 0 : 1;
