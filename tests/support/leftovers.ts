import postgres from "postgres";
import { databaseUrl } from "../../supabase/local/postgres.ts";
import { dumpDatabase, dumpStatements } from "./database-dump.ts";
import { addEvidence, addSecrets } from "./evidence.ts";
import { openSealed } from "./sealed-secrets.ts";
import type { TestServer } from "./test-server.ts";

const by = "the run's own set-up";

/** Adds what no test's `close()` kept: the templates, databases that were left open, and every statement of the run. */
export async function keepLeftovers(folder: string, { port, passwords }: TestServer): Promise<void> {
  const within = async <Answer>(
    database: string,
    act: (sql: postgres.Sql) => Promise<Answer>,
  ): Promise<Answer> => {
    const sql = postgres(databaseUrl(port, "supabase_admin", passwords, database), {
      max: 1,
      onnotice: () => {},
    });
    return await act(sql).finally(() => sql.end());
  };
  addSecrets(folder, Object.values(passwords).map((text) => ({ kind: "database password", text, by })));
  const left = await within(
    "postgres",
    (sql) =>
      sql<
        { name: string }[]
      >`select datname as name from pg_database where datallowconn and datname <> 'template1'`,
  );
  for (const { name } of left) {
    await within(name, async (sql) => {
      for (const { source, place, text } of await dumpDatabase(sql)) {
        addEvidence(folder, source, `${place}, database ${name}`, text);
      }
      addSecrets(folder, (await openSealed(sql)).map((secret) => ({ ...secret, by })));
    });
  }
  for (const { source, place, text } of await within("hosted", dumpStatements)) {
    addEvidence(folder, source, place, text);
  }
}
