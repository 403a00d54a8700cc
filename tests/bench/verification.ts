import type { Sql } from "postgres";
import type { Figure } from "./figure.ts";
import type { Project } from "./project.ts";
import { callersOf } from "./seeded-keys.ts";
import { type Call, compare, type Contenders, inFlight, interleave, warm } from "./throughput.ts";

type Kind = "nothing" | "reading" | "counting";

const rounds = 9;

/**
 * A verification as a prepared statement. `authenticate` is what every API function calls first and all that
 * verification is; whoami would add the JSON of its answer. Text that is cast, because the driver would quote it as JSON.
 */
export function verifying(sql: Sql, callers: string[]): Call {
  return (turn) =>
    sql`select mailpipe.authenticate(${callers[turn % callers.length] ?? ""}::text::jsonb, 'caller')`;
}

/** Verification against `select 1`, read only and with limits and use counted; and the statements each one takes. */
export async function measureVerification(project: Project): Promise<Figure[]> {
  const sql = project.pool("mailpipe_tenant", inFlight);
  const contenders: Contenders<Kind> = {
    nothing: { calls: 8_000, call: () => sql`select 1` },
    reading: { calls: 6_000, call: verifying(sql, callersOf("plain", { counted: true })) },
    counting: { calls: 4_000, call: verifying(sql, callersOf("hot", {})) },
  };
  await warm(contenders);
  const statements = await countStatements(project.pool("supabase_admin", 1));
  const rates = await interleave(rounds, contenders);
  return [
    {
      name: "verification, read only / select 1",
      ...compare(rates.reading, rates.nothing),
      atLeast: 0.4,
    },
    {
      name: "verification, rate limit and usage on / select 1",
      ...compare(rates.counting, rates.nothing),
      atLeast: 0.2,
    },
    statementsPer(contenders, await statements()),
  ];
}

/** What is left of the statements the server ran when the baseline's, whose number is known, are taken away. */
function statementsPer({ nothing, reading, counting }: Contenders<Kind>, all: number): Figure {
  const verified = rounds * (reading.calls + counting.calls);
  const statements = all - rounds * nothing.calls;
  return {
    name: "statements per verification",
    value: statements / verified,
    atLeast: 1,
    atMost: 1,
    measured: `pg_stat_statements counted ${statements} for ${verified}`,
  };
}

/** Begins to count; the function it resolves to tells how many statements mailpipe_tenant sent since. */
async function countStatements(admin: Sql): Promise<() => Promise<number>> {
  await admin`create extension if not exists pg_stat_statements with schema extensions`;
  await admin`select extensions.pg_stat_statements_reset()`;
  return async () => {
    // Top-level ones alone: what functions run inside is not sent.
    const [row] = await admin<{ calls: string }[]>`
      select sum(calls) as calls
      from extensions.pg_stat_statements
      where toplevel and userid = 'mailpipe_tenant'::regrole
    `;
    return Number(row?.calls);
  };
}
