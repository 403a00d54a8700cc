-- What: the private bucket for raw mail, attachments and exports.
-- Why: bytes are reached through our functions only, whatever policies a host app has on storage.objects.
-- Locks: a policy on storage.objects takes a brief access exclusive lock there.

insert into storage.buckets (id, name, public)
values ('mailpipe', 'mailpipe', false)
on conflict (id) do nothing;

create policy "mailpipe: nobody reaches our bucket with a browser's token"
    on storage.objects
    as restrictive
    for all
    to anon, authenticated
    using (bucket_id <> 'mailpipe')
    with check (bucket_id <> 'mailpipe');
