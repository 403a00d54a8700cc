/** What stays longer than the house aims at, by the name the size step prints, each with its reason. */
export const longOnes: Record<string, string> = {
  "functions/providers/index.ts": "one resource, four routes, each a handful of lines",
  "shared/database-types.ts": "generated from the migrations",
  "shared/openapi-document.ts": "generated from the schemas",
  "supabase/migrations/20261123000700_create_authenticate_entry.sql mailpipe.authenticate":
    "every kind of caller in one place is what a reviewer wants to see",
  "supabase/migrations/20261123001900_api_keys.sql mailpipe_api.issue_key":
    "four refusals stand before the one insert, and are read together",
  "supabase/migrations/20261123001910_api_revoke_key.sql mailpipe_api.revoke_key":
    "one recursive statement, a clause a line",
  "supabase/migrations/20261123002000_api_providers.sql mailpipe_api.create_provider":
    "one insert of nine columns with its refusals",
  "supabase/migrations/20261123002400_create_threading.sql mailpipe.find_thread":
    "two queries in the order they are tried",
  "supabase/migrations/20261123002400_create_threading.sql mailpipe.join_thread":
    "two statements, a clause a line",
  "supabase/migrations/20261123002490_create_outbound_mail.sql mailpipe.insert_outbound":
    "one insert of eighteen columns",
  "supabase/migrations/20261123002500_api_send_mail.sql mailpipe_api.send_mail":
    "the one transaction of a send, readable top to bottom",
  "supabase/migrations/20261123002600_api_messages.sql mailpipe_api.list_messages":
    "one query with nine filters, a line each",
  "supabase/migrations/20261123002800_worker_finish_message.sql mailpipe_api.finish_message":
    "every outcome of a try in one place",
  "supabase/migrations/20261123003010_worker_finish_deliveries.sql mailpipe.finish_delivery":
    "three updates that belong to one result",
  "supabase/migrations/20261123003050_create_inbound_mail.sql mailpipe.insert_inbound":
    "one insert of twenty-one columns",
};

/** API functions that call no `authenticate(`, by schema-qualified name, each with its reason. */
export const openToAll: Record<string, string> = {};
