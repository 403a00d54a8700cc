import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { TestDatabase } from "../support/database.ts";

/** Runs a file of supabase/install as the customer would: whole, over one connection of the migrating role. */
export async function runInstallFile(database: TestDatabase, name: string): Promise<void> {
  const text = readFileSync(resolve(import.meta.dirname, "../../supabase/install", name), "utf8");
  const connection = await database.sql("postgres").reserve();
  await connection.unsafe(text).finally(() => connection.release());
}

/** SQL that says who asks for the rest of the transaction, in both settings PostgREST has had for it. */
export function asUser(user_id: string, claims: Record<string, unknown> = {}): string {
  const token = JSON.stringify({ sub: user_id, role: "authenticated", ...claims });
  return `select set_config('request.jwt.claims', '${token}', true), ` +
    `set_config('request.jwt.claim.sub', '${user_id}', true)`;
}
