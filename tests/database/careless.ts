import { type Caller, rpc } from "./tenant.ts";
import type { TestDatabase } from "../support/database.ts";

/**
 * Gives get_message another body, as a careless migration would; owner and privileges stay. Answers how to call it as
 * service_role with a caller.
 */
export async function rewrite(
  database: TestDatabase,
  body: string,
): Promise<(caller: Caller) => Promise<unknown>> {
  await database.sql("postgres").unsafe(`
    create or replace function mailpipe_api.get_message(p_caller jsonb, p_id text)
    returns jsonb
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
    as $$ begin ${body} end; $$
  `);
  return (p_caller) => rpc(database.sql("service_role"), "get_message", { p_caller, p_id: null });
}
