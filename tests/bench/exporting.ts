import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Sql } from "postgres";
import type { Figure } from "./figure.ts";
import type { Project } from "./project.ts";

const messages = 100_000;

/** An organization with 100,000 messages of 2 KB, half of them received, one in fifty with a file. */
async function seed(owner: Sql): Promise<string> {
  const [founded] = await owner<{ id: string }[]>`
    insert into mailpipe.organizations (name) values ('leaving') returning id
  `;
  const id = founded?.id ?? "";
  await owner`select mailpipe.create_data_key(${id})`;
  await owner`
    insert into mailpipe.threads (organization_id, environment, id, subject_key, participants)
    values (${id}, 'live', ${`thr_${id}`}, 's', '{}')
  `;
  await owner`
    insert into mailpipe.messages (
      organization_id, environment, direction, status, thread_id, from_email, subject, text_body, message_id_header
    )
    select ${id}, 'live', 'inbound', 'received', ${`thr_${id}`}, 'eve@elsewhere.example', 'Subject ' || n,
      repeat('From here to there. ', 100), n || '@elsewhere.example'
    from generate_series(1, ${messages}::int) as n
  `;
  // Or the foreign key of each recipient is looked up by a plan made for an empty table.
  await owner`analyze mailpipe.messages`;
  await owner`
    insert into mailpipe.recipients (organization_id, environment, message_id, position, kind, email, status)
    select organization_id, environment, id, 0, 'to', 'in@acme.example', 'received'
    from mailpipe.messages where organization_id = ${id}
  `;
  await owner`analyze mailpipe.recipients`;
  return id;
}

async function start(owner: Sql, organizationId: string): Promise<void> {
  await owner`
    with export as (insert into mailpipe.exports (organization_id) values (${organizationId}) returning id)
    insert into mailpipe.jobs (organization_id, environment, kind, subject_id, cursor)
    select ${organizationId}, 'live', 'export_data', id, '{"stage": "organizations"}' from export
  `;
}

interface Took {
  steps: number;
  longest: number;
  peak: number;
}

/**
 * Runs the worker in a process of its own until nothing is due. Its heap is held to 96 MiB: left to itself, V8 does not
 * collect before a machine of this size is a quarter full, and what it has not collected yet is no need of the export's.
 */
async function work(): Promise<Took> {
  const script = fileURLToPath(new URL("export-worker.ts", import.meta.url));
  const { default: secret } = JSON.parse(process.env["SUPABASE_SECRET_KEYS"] ?? "{}") as { default: string };
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--max-old-space-size=96",
    "--import",
    "tsx",
    script,
  ], {
    env: { ...process.env, BENCH_SECRET_KEY: secret },
  });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Took;
}

/** An export of 100,000 messages: the worker's memory, and the CPU and the statement of its longest step. */
export async function measureExport(project: Project): Promise<Figure[]> {
  const owner = project.pool("postgres", 1);
  const admin = project.pool("supabase_admin", 1);
  const id = await seed(owner);
  await start(owner, id);
  await admin`create extension if not exists pg_stat_statements with schema extensions`;
  await admin`select extensions.pg_stat_statements_reset()`;
  const { steps, longest, peak } = await work();
  const [statement] = await admin<{ seconds: number }[]>`
    select max(max_exec_time) / 1000 as seconds
    from extensions.pg_stat_statements
    where query ~ 'export_step|claim_data_jobs'
  `;
  const [made] = await owner<{ finished: boolean; mail: number }[]>`
    select bool_and(finished_at is not null) as finished, (
      select sum(entries)::int from mailpipe.export_parts where organization_id = ${id} and kind = 'mail'
    ) as mail
    from mailpipe.exports where organization_id = ${id}
  `;
  const whole = made?.finished === true && made.mail === messages;
  const measured = `${made?.mail} messages in ${steps} steps${whole ? "" : ": NOT WHOLE"}`;
  return [
    {
      name: "export of 100,000 messages: MiB of the worker at most",
      value: whole ? peak : Infinity,
      atMost: 200,
      measured,
    },
    {
      name: "its longest step: seconds of CPU",
      value: longest,
      atMost: 2,
      measured: "user and system, one process",
    },
    {
      name: "its longest statement: seconds",
      value: Number(statement?.seconds),
      atMost: 8,
      measured: "pg_stat_statements",
    },
  ];
}
