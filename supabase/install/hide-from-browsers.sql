-- What: takes back what expose-to-browsers.sql gave: browsers read nothing any more.
-- Why: whoever opts in can leave again; the policies stay, and without grants they let nobody through.
-- Locks: none. It may be run again.
--
-- Run it as the role that ran the migrations, and take mailpipe out of the Data API's exposed schemas:
--   supabase db query --remote="$DATABASE_URL" --yes --file supabase/install/hide-from-browsers.sql

do $$
begin
    revoke all on all tables in schema mailpipe from authenticated;
    revoke usage on schema mailpipe from authenticated;
end;
$$;
