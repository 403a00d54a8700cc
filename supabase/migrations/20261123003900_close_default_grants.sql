-- What: takes from the Data API's roles what default privileges of the host project gave them on our objects.
-- Why: `alter default privileges … grant … to anon` without a schema reaches ours too, and a revoke from public leaves it.
-- Locks: none: only privileges change.

revoke all on all tables in schema mailpipe from public, anon, authenticated, service_role;
revoke all on all sequences in schema mailpipe from public, anon, authenticated, service_role;
revoke all on all functions in schema mailpipe from public, anon, authenticated, service_role;
revoke all on all functions in schema mailpipe_api from public, anon, authenticated;
