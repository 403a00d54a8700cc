import { readFileSync } from "node:fs";
import postgres from "postgres";
import type { PostgresServer } from "./postgres.ts";

// In order: auth, storage and vault use the roles and extensions of bootstrap.sql.
const PLATFORM = ["bootstrap.sql", "auth.sql", "storage.sql", "vault.sql"];

/**
 * Gives an empty database what a hosted Supabase project has before migrations run; with `scheduler` also the
 * stand-ins for pg_cron and pg_net. One transaction, so it is there whole or not at all, and does nothing twice.
 */
export async function bootstrapDatabase(
  server: Pick<PostgresServer, "url" | "passwords">,
  database: string,
  { scheduler }: { scheduler: boolean },
): Promise<void> {
  const sql = postgres(server.url("supabase_admin", database), { max: 1, onnotice: () => {} });
  try {
    await sql.begin(async (transaction) => {
      const present = await transaction<{ nspname: string }[]>`select nspname from pg_catalog.pg_namespace`;
      const schemas = new Set(present.map((row) => row.nspname));
      if (!schemas.has("vault")) await runFiles(transaction, PLATFORM);
      if (scheduler && !schemas.has("cron")) await runFiles(transaction, ["scheduler.sql"]);
      // A password is part of its statement's text, which would be kept.
      await transaction`set local pg_stat_statements.track_utility = off`;
      for (const role of ["postgres", "authenticator"] as const) {
        await transaction.unsafe(`alter role ${role} password '${server.passwords[role]}'`);
      }
    });
  } finally {
    await sql.end();
  }
}

async function runFiles(transaction: postgres.TransactionSql, files: string[]): Promise<void> {
  for (const file of files) {
    await transaction.unsafe(readFileSync(new URL(file, import.meta.url), "utf8"));
  }
}
