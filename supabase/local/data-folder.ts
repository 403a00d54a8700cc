import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { readIfPresent, writePrivateFile } from "./private-file.ts";

/** What a stack generates once and keeps with its data. */
export interface Secrets {
  publishable_key: string;
  secret_key: string;
  /** Signs the sessions of Auth. */
  jwt_secret: string;
  owner_password: string;
  smtp_username: string;
  smtp_password: string;
}

/** One JSON file of the data folder, readable by its owner alone. */
export interface KeptFile<T> {
  read(): Promise<T | undefined>;
  write(value: T): Promise<void>;
}

/** A JSON file called `name` in the data folder. */
export function keptFile<T>(folder: string, name: string): KeptFile<T> {
  const path = join(folder, name);
  return {
    async read() {
      const text = await readIfPresent(path);
      return text === undefined ? undefined : JSON.parse(text) as T;
    },
    write: (value) => writePrivateFile(path, `${JSON.stringify(value, undefined, 2)}\n`),
  };
}

/**
 * The secrets of the stack in `folder`, made on first use. The folder itself stays open to other accounts,
 * because a PostgreSQL that root starts runs as another one and must pass through; every file in it is 0600.
 */
export async function openSecrets(folder: string): Promise<Secrets> {
  await mkdir(folder, { recursive: true });
  const file = keptFile<Secrets>(folder, "secrets.json");
  const kept = await file.read();
  if (kept !== undefined) return kept;
  const random = () => randomBytes(24).toString("base64url");
  const made = {
    publishable_key: `sb_publishable_${random()}`,
    secret_key: `sb_secret_${random()}`,
    jwt_secret: random(),
    owner_password: random(),
    smtp_username: "mailpipe",
    smtp_password: random(),
  };
  await file.write(made);
  return made;
}

/** SHA-256 of each migration, by file name. */
type Fingerprints = Record<string, string>;

async function fingerprints(migrations: string): Promise<Fingerprints> {
  const names = (await readdir(migrations)).filter((name) => name.endsWith(".sql")).sort();
  const hashes = names.map(async (name) => {
    const text = await readFile(join(migrations, name));
    return [name, createHash("sha256").update(text).digest("hex")] as const;
  });
  return Object.fromEntries(await Promise.all(hashes));
}

/**
 * Throws one sentence where the data in `folder` was made by migrations that this checkout does not have, or has
 * with another text. `db push` compares names alone, and until 1.0 files may still be edited.
 */
export async function refuseOtherMigrations(folder: string, migrations: string): Promise<void> {
  const applied = await keptFile<Fingerprints>(folder, "migrations.json").read() ?? {};
  const present = await fingerprints(migrations);
  const changed = Object.keys(applied).find((name) => applied[name] !== present[name]);
  if (changed === undefined) return;
  throw new Error(
    `The data folder ${folder} was made by another version of Mailpipe (${changed} differs): move it away, ` +
      "or choose another with MAILPIPE_DATA.",
  );
}

/** Writes down which migrations the data in `folder` has; call after they were applied. */
export async function rememberMigrations(folder: string, migrations: string): Promise<void> {
  await keptFile<Fingerprints>(folder, "migrations.json").write(await fingerprints(migrations));
}
