-- What: the private bucket for raw mail, attachments and exports.
-- Why: bytes are reached through our functions only, whatever policies a host app has on storage.
-- Locks: a policy takes a brief access exclusive lock, on storage.objects and then on storage.buckets.

-- A bucket of that name with files in it is somebody's: we would shut it to its users and remove what no row of ours
-- names. A public one would show the mail to anyone who has a link.
do $$
begin
    if exists (select from storage.buckets where id = 'mailpipe' and public)
        or exists (select from storage.objects where bucket_id = 'mailpipe')
    then
        raise exception 'there is a bucket "mailpipe" already that is public or not empty'
            using hint = 'Rename it if it is another app''s; else empty it and make it private. Then push again.';
    end if;
end;
$$;

insert into storage.buckets (id, name, public)
values ('mailpipe', 'mailpipe', false)
on conflict (id) do nothing;

-- To public: a host app's tokens may carry roles of its own. Our functions come as service_role, which bypasses it.
create policy "mailpipe: nobody reaches our bucket with a browser's token"
    on storage.objects
    as restrictive
    for all
    to public
    using (bucket_id is distinct from 'mailpipe')
    with check (bucket_id is distinct from 'mailpipe');

-- Else a host app's policy could let its users make the bucket public.
create policy "mailpipe: nobody changes our bucket with a browser's token"
    on storage.buckets
    as restrictive
    for all
    to public
    using (id <> 'mailpipe')
    with check (id <> 'mailpipe');
