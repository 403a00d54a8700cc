/** What stays longer than the house aims at, by the name the size step prints, each with its reason. */
export const longOnes: Record<string, string> = {
  "functions/providers/index.ts": "one resource, four routes, each a handful of lines",
  "functions/webhooks/index.ts": "one resource, seven routes, each a handful of lines",
  "shared/database-types.ts": "generated from the migrations",
  "shared/errors.ts": "every refusal there is, once",
  "shared/openapi-document.ts": "generated from the schemas",
  "supabase/migrations/20261123000510_create_rate_windows.sql mailpipe.tightest_window":
    "four windows, the same five lines each",
  "supabase/migrations/20261123000515_create_take.sql mailpipe.take":
    "one upsert over four windows, a clause a line",
  "supabase/migrations/20261123000650_create_key_caller.sql mailpipe.key_caller":
    "the one lookup of a key with everything that may refuse it",
  "supabase/migrations/20261123000700_create_authenticate_entry.sql mailpipe.authenticate":
    "every kind of caller in one place is what a reviewer wants to see",
  "supabase/migrations/20261123001920_create_key_endings.sql mailpipe.fell_keys":
    "lock, fell and descend are one loop whose order is the point",
  "supabase/migrations/20261123001940_api_keys.sql mailpipe_api.issue_key":
    "the refusals stand before the one insert of nineteen columns, and are read together",
  "supabase/migrations/20261123001950_api_rotate_key.sql mailpipe_api.rotate_key":
    "one insert of twenty-one columns with its refusals",
  "supabase/migrations/20261123001970_api_revoke_keys.sql mailpipe_api.revoke_keys":
    "what is spared and what is refused stand before the one act",
  "supabase/migrations/20261123001980_create_exposure.sql mailpipe.notify_owners": "one mail, a field a line",
  "supabase/migrations/20261123002000_api_providers.sql mailpipe_api.create_provider":
    "one insert of nine columns with its refusals",
  "supabase/migrations/20261123002400_create_threading.sql mailpipe.find_thread":
    "two queries in the order they are tried",
  "supabase/migrations/20261123002400_create_threading.sql mailpipe.join_thread":
    "two statements, a clause a line",
  "supabase/migrations/20261123002490_create_outbound_mail.sql mailpipe.insert_outbound":
    "one insert of eighteen columns",
  "supabase/migrations/20261123002600_api_messages.sql mailpipe_api.list_messages":
    "one query with nine filters, a line each",
  "supabase/migrations/20261123002795_create_cancelling.sql mailpipe.cancel_message":
    "a delete and an update that must agree on what is still queued",
  "supabase/migrations/20261123002800_worker_finish_message.sql mailpipe_api.finish_message":
    "every outcome of a try in one place",
  "supabase/migrations/20261123002930_api_deliveries.sql mailpipe_api.list_deliveries":
    "one query with seven filters, a line each",
  "supabase/migrations/20261123003008_create_delivery_ending.sql mailpipe.finish_tries":
    "one statement, so that what a claim's result changes is changed together or not at all",
  "supabase/migrations/20261123003050_create_inbound_mail.sql mailpipe.insert_inbound":
    "one insert of twenty-one columns",
  "supabase/migrations/20261123003180_create_counter_upkeep.sql mailpipe.flush_usage":
    "one statement, so that nothing is counted twice or lost",
  "supabase/migrations/20261123003180_create_counter_upkeep.sql mailpipe.keep_windows":
    "copy, and two removals of what has run out",
  "supabase/migrations/20261123003200_worker_maintenance.sql mailpipe_api.run_maintenance":
    "one line for each thing it keeps",
  "supabase/migrations/20261123003190_create_key_audit_upkeep.sql mailpipe.seal_range":
    "what is stamped, counted and hashed is one range",
};

/** API functions that call no `authenticate(`, by schema-qualified name, each with its reason. */
export const openToAll: Record<string, string> = {};
