import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ManagementApi } from "./management-api.ts";

const installed = join(import.meta.dirname, "../../node_modules/.bin/supabase");

/** How a run of the CLI ended; `output` is both streams in the order they came. */
export interface Run {
  code: number;
  output: string;
}

/** The profile that points the CLI at the stand-in; TOML is not accepted (platform.md §3.5). */
function profile(home: string, { url }: ManagementApi): string {
  const path = join(home, "profile.yaml");
  const lines = [
    "name: stand-in",
    `api_url: ${url}`,
    `dashboard_url: ${url}/dashboard`,
    "project_host: localhost",
  ];
  mkdirSync(home, { recursive: true });
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}

/**
 * Runs the installed Supabase CLI on a project folder against the stand-in, as its owner would on a machine of
 * their own: `home` holds the profile and whatever the CLI notes for itself, and nothing else of this machine's
 * environment is passed on. Telemetry is off.
 */
export function supabase(api: ManagementApi, project: string, home: string, args: string[]): Promise<Run> {
  const env = {
    PATH: process.env["PATH"],
    HOME: home,
    SUPABASE_ACCESS_TOKEN: api.token,
    SUPABASE_YES: "1",
    SUPABASE_TELEMETRY_DISABLED: "1",
    DO_NOT_TRACK: "1",
    NO_COLOR: "1",
  };
  const target = ["--workdir", project, "--profile", profile(home, api), `--remote=${api.ref}`];
  return new Promise((resolve) => {
    execFile(
      installed,
      [...args, ...target],
      { cwd: project, env, timeout: 60_000 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: `${stderr}${stdout}` });
      },
    );
  });
}
