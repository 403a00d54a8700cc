import type { ReservedSql } from "postgres";
import type { Verb } from "./access-matrix.ts";
import {
  type Identity,
  organizationOf,
  type StoredRow,
  storedRows,
  type StoredTable,
  wordFor,
} from "./stored-tables.ts";

/** Somebody whose access is tried, over a connection that is her role. */
export interface Actor extends Identity {
  role: string;
  connection: ReservedSql;
  /** Run first in each transaction: it says who she is. */
  pin: string;
  /** Her session may become the superuser, who prepares and looks afterwards in the same transaction. */
  prepared: boolean;
}

type Refusal = "denied" | "refused";

/**
 * No privilege on the table, a view that takes no rows, or a policy that does not let the row pass. Whatever else the
 * database says is no outcome.
 */
function refusal(error: unknown): Refusal | undefined {
  const { code, message } = error as { code?: string; message?: string };
  if (/^cannot (insert into|update|delete from) view|is not a table$/.test(message ?? "")) return "denied";
  if (code !== "42501") return undefined;
  if (/row-level security/.test(message ?? "")) return "refused";
  // A default that calls a function of ours is refused too, and says nothing of the table.
  return /^permission denied for (schema|table|view)/.test(message ?? "") ? "denied" : undefined;
}

/** Runs `act` as the actor, in a transaction that leaves no trace. */
export async function trial<Seen>(
  { connection, pin }: Actor,
  act: (sql: ReservedSql) => Promise<Seen>,
): Promise<Seen | Refusal> {
  await connection.unsafe(`begin; ${pin}`);
  try {
    return await act(connection);
  } catch (error) {
    const said = refusal(error);
    if (said === undefined) throw error;
    return said;
  } finally {
    await connection.unsafe("rollback");
  }
}

/** Does `act` as the superuser. Foreign keys rest from then on, so that only privileges and policies speak. */
async function aside<Seen>({ connection, role }: Actor, act: () => Promise<Seen>): Promise<Seen> {
  await connection.unsafe("set local role supabase_admin; set local session_replication_role = replica");
  const seen = await act();
  await connection.unsafe(`set local role ${role}`);
  return seen;
}

async function selecting(table: StoredTable, actor: Actor): Promise<string> {
  const seen = await trial(
    actor,
    (sql) => sql.unsafe<{ key: string }[]>(`select ${table.key} as key from mailpipe.${table.name} as it`),
  );
  if (Array.isArray(seen)) return wordFor(table, actor, seen.map(({ key }) => key));
  const other = await trial(actor, (sql) => sql.unsafe(`select from mailpipe.${table.name}`));
  return other === "denied" ? "-" : "keyless";
}

/** The rows a statement without a WHERE clause reached: gone afterwards, or another version. */
async function reaching(
  table: StoredTable,
  actor: Actor,
  statement: string,
  like?: StoredRow,
): Promise<string> {
  const reached = await trial(actor, async (sql) => {
    const run = () => sql.unsafe(statement, like === undefined ? [] : [like.row as never]);
    if (!actor.prepared) {
      await run();
      return undefined;
    }
    const before = await aside(actor, () => storedRows(sql, table));
    await run();
    const after = await aside(actor, () => storedRows(sql, table));
    const places = new Map(after.map(({ key, place }) => [key, place]));
    return before.filter(({ key, place }) => places.get(key) !== place).map(({ key }) => key);
  });
  if (reached === "denied") return "-";
  return Array.isArray(reached) ? wordFor(table, actor, reached) : "allowed";
}

/** Gives a column she may set the value a row of hers has, everywhere. */
async function updating(table: StoredTable, actor: Actor): Promise<string> {
  const like = table.rows.find((row) => organizationOf(table, row) === actor.organization_id) ??
    table.rows[0];
  const granted = table.updatable[actor.role] ?? [];
  let broken: unknown;
  for (const column of granted.length > 0 ? granted : table.columns.slice(0, 1)) {
    const value = `(jsonb_populate_record(null::mailpipe.${table.name}, $1::jsonb)).${column}`;
    try {
      return await reaching(table, actor, `update mailpipe.${table.name} set ${column} = ${value}`, like);
    } catch (error) {
      // One value for all rows can break a constraint, which hides nothing: the next column may not.
      if (!String((error as { code?: string }).code).startsWith("23")) throw error;
      broken = error;
    }
  }
  throw broken;
}

/** Takes a row away and lets the actor put the same one back, as far as she may say what is in it. */
async function inserted(
  table: StoredTable,
  actor: Actor,
  { key, row }: StoredRow,
): Promise<Refusal | "inserted"> {
  const granted = table.settable.filter((column) => table.insertable[actor.role]?.includes(column));
  const columns = (granted.length > 0 ? granted : table.settable).join(", ");
  return await trial(actor, async (sql) => {
    if (actor.prepared) {
      await aside(
        actor,
        () => sql.unsafe(`delete from mailpipe.${table.name} as it where ${table.key} = $1`, [key]),
      );
    }
    await sql.unsafe(
      `insert into mailpipe.${table.name} (${columns})
        select ${columns} from jsonb_populate_record(null::mailpipe.${table.name}, $1::jsonb)`,
      [row as never],
    );
    return "inserted" as const;
  });
}

/** Tries a row of each kind: her own, her organization's other environment's, another organization's. */
async function inserting(table: StoredTable, actor: Actor): Promise<string> {
  const passed: string[] = [];
  const kinds = new Map(table.rows.map((row) => [
    `${String(organizationOf(table, row))} ${String(row.row["environment"])}`,
    row,
  ]));
  for (const sample of kinds.values()) {
    const result = await inserted(table, actor, sample);
    if (result === "denied") return "-";
    if (result === "inserted") passed.push(sample.key);
  }
  return wordFor({ ...table, rows: [...kinds.values()] }, actor, passed);
}

/** Performs one verb on one table as the actor, and says what came of it in a word of the matrix. */
export async function attempt(verb: Verb, table: StoredTable, actor: Actor): Promise<string> {
  if (verb === "select") return await selecting(table, actor);
  if (verb === "insert") return await inserting(table, actor);
  if (verb === "update") return await updating(table, actor);
  return await reaching(
    table,
    actor,
    `${verb === "delete" ? "delete from" : "truncate"} mailpipe.${table.name}`,
  );
}
