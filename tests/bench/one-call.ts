import type { Sql } from "postgres";
import type { Figure } from "./figure.ts";
import type { Project } from "./project.ts";
import { callersOf } from "./seeded-keys.ts";
import { type Call, compare, inFlight, interleave, warm } from "./throughput.ts";
import { verifying } from "./verification.ts";

const rounds = 27;

// The same insert both ways; what differs is that one way has a round trip and a transaction more.
const schema = `
  create schema bench;
  create table bench.rows (id bigint generated always as identity primary key, note text not null);
  create function bench.insert_row(p_note text) returns void language plpgsql security definer as
    $$ begin insert into bench.rows (note) values (p_note); end $$;
  create function bench.verify_and_insert(p_caller jsonb, p_note text) returns void
    language plpgsql security definer as
    $$ begin perform mailpipe.authenticate(p_caller, 'caller'); insert into bench.rows (note) values (p_note); end $$;
  grant usage on schema bench to mailpipe_tenant;
`;

async function ratioOver(sql: Sql): Promise<{ value: number; measured: string }> {
  const callers = callersOf("hot", {});
  const verify = verifying(sql, callers);
  const together: Call = (turn) =>
    sql`select bench.verify_and_insert(${callers[turn % callers.length] ?? ""}::text::jsonb, 'row')`;
  const apart: Call = async (turn) => {
    await verify(turn);
    await sql`select bench.insert_row('row')`;
  };
  const contenders = { together: { calls: 2_000, call: together }, apart: { calls: 2_000, call: apart } };
  await warm(contenders);
  const { together: one, apart: two } = await interleave(rounds, contenders);
  return compare(one, two);
}

/**
 * Verifying and inserting one row in one call, against the same as two calls: without waiting for the disk, which shows
 * what differs, and with durable commits, which is what a project has. Both are held to the bound.
 */
export async function measureOneCall(project: Project): Promise<Figure[]> {
  await project.pool("postgres", 1).unsafe(schema);
  const unwaiting = project.pool("mailpipe_tenant", inFlight, { synchronous_commit: "off" });
  const waiting = project.pool("mailpipe_tenant", inFlight);
  return [
    {
      name: "verify and insert, one call / two, synchronous_commit off",
      ...await ratioOver(unwaiting),
      atLeast: 1.15,
    },
    {
      name: "verify and insert, one call / two, waiting for this disk",
      ...await ratioOver(waiting),
      atLeast: 1.15,
    },
  ];
}
