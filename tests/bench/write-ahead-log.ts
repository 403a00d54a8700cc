import type { Sql } from "postgres";
import type { Figure } from "./figure.ts";
import type { Project } from "./project.ts";
import { callersOf } from "./seeded-keys.ts";
import { type Call, inFlight, perSecond } from "./throughput.ts";
import { verifying } from "./verification.ts";

// A minute of 500 requests a second; made as fast as they go, which changes nothing that is logged per request.
const aMinute = 30_000;
// The first minute inserts the rows the others update.
const minutes = 3;

async function position(admin: Sql): Promise<number> {
  const [row] = await admin<{ bytes: string }[]>`select pg_current_wal_insert_lsn() - '0/0' as bytes`;
  return Number(row?.bytes);
}

/** What run-maintenance does each minute for keys, until nothing is left. */
async function flush(worker: Sql): Promise<void> {
  for (let call = 0; call < 20; call++) {
    const [row] = await worker<{ flushed: number }[]>`select mailpipe.flush_usage() as flushed`;
    if (row?.flushed === 0) return void await worker`select mailpipe.keep_windows()`;
  }
  throw new Error("flush_usage still finds rows after 20 calls.");
}

/** Bytes a verification of one such minute logs, first without and then with the flush at its end. */
async function measureMinute(admin: Sql, worker: Sql, counting: Call): Promise<[number, number]> {
  // A page is logged whole when it first changes after a checkpoint, so each minute pays for all of its pages.
  await admin`checkpoint`;
  const before = await position(admin);
  await perSecond(aMinute, counting);
  const between = await position(admin);
  await flush(worker);
  return [(between - before) / aMinute, (await position(admin) - before) / aMinute];
}

/** Bytes of write-ahead log a verification with rate limit and usage costs, its part of the flush included. */
export async function measureLog(project: Project): Promise<Figure> {
  const [admin, worker] = [project.pool("supabase_admin", 1), project.pool("mailpipe_worker", 1)];
  const counting = verifying(project.pool("mailpipe_tenant", inFlight), callersOf("hot", {}));
  const found: [number, number][] = [];
  for (let minute = 0; minute < minutes; minute++) {
    found.push(await measureMinute(admin, worker, counting));
  }
  const shown = found.map(([bare, whole]) => `${bare.toFixed(0)} + ${(whole - bare).toFixed(0)}`).join(", ");
  return {
    name: "WAL bytes per verification, 1,000 hot keys",
    value: Math.max(...found.map(([, whole]) => whole)),
    atMost: 100,
    measured: `the most of ${minutes} minutes of ${aMinute} + their flush, each from a checkpoint: ${shown}`,
  };
}
