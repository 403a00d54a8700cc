// Run after every change of a dependency: `node --import tsx supabase/local/complete-lock.ts`.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The part of package-lock.json (version 3) this file reads and writes. */
export interface Lock {
  packages: Record<string, LockedPackage>;
}

interface LockedPackage {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}

const LOCK = fileURLToPath(new URL("../../package-lock.json", import.meta.url));

/**
 * What a lock lacks of packages built for other platforms, by path. npm writes only those the registry at hand
 * has, and `npm ci` then refuses the lock ("Missing: … from lock file"). Such packages are pinned exactly by the
 * one that asks for them and carry their platform in their name, so no registry need be asked; without an
 * integrity, npm takes the one the registry states.
 */
export function missingPackages(lock: Lock): Record<string, LockedPackage> {
  const missing: Record<string, LockedPackage> = {};
  for (const { dev, optionalDependencies = {} } of Object.values(lock.packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      const path = `node_modules/${name}`;
      const nested = Object.keys(lock.packages).some((each) => each.endsWith(`/${path}`));
      if (path in lock.packages || nested || !/^\d/.test(version)) continue;
      missing[path] = { version, ...(dev ? { dev } : {}), optional: true, ...platformOf(name) };
    }
  }
  return missing;
}

/** For instance `@deno/linux-arm64-glibc`, `@supabase/cli-windows-x64`, `@supabase/cli-linux-x64-musl`. */
function platformOf(name: string): Pick<LockedPackage, "os" | "cpu" | "libc"> {
  const [, os, cpu, libc] = /(darwin|linux|windows|win32)-(arm64|x64)(?:-(glibc|musl))?$/.exec(name) ?? [];
  if (os === undefined || cpu === undefined) throw new Error(`${name} does not name its platform`);
  return {
    os: [os === "windows" ? "win32" : os],
    cpu: [cpu],
    ...(os === "linux" ? { libc: [libc ?? "glibc"] } : {}),
  };
}

function completeLock(): void {
  const lock = JSON.parse(readFileSync(LOCK, "utf8")) as Lock;
  const missing = missingPackages(lock);
  const byPath = Object.entries({ ...lock.packages, ...missing }).sort(([a], [b]) =>
    a.localeCompare(b, "en")
  );
  lock.packages = Object.fromEntries(byPath);
  writeFileSync(LOCK, `${JSON.stringify(lock, undefined, 2)}\n`);
  console.log(`${Object.keys(missing).length} packages added to package-lock.json`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) completeLock();
