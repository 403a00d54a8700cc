-- Schema storage as a hosted project's Storage server leaves it, as far as buckets and objects go.

create schema storage;
grant usage on schema storage to anon, authenticated, service_role;
grant usage on schema storage to postgres with grant option;
grant all on schema storage to supabase_storage_admin with grant option;

alter default privileges for role supabase_storage_admin in schema storage
    grant all on tables to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_storage_admin in schema storage
    grant all on functions to postgres, anon, authenticated, service_role;

set local role supabase_storage_admin;

create table storage.buckets (
    id text primary key,
    name text not null unique,
    owner uuid,
    owner_id text,
    public boolean default false,
    avif_autodetection boolean default false,
    file_size_limit bigint,
    allowed_mime_types text[],
    created_at timestamptz default now(),
    updated_at timestamptz default now()
);

create table storage.objects (
    id uuid primary key default gen_random_uuid(),
    bucket_id text references storage.buckets (id),
    name text,
    owner uuid,
    owner_id text,
    metadata jsonb,
    user_metadata jsonb,
    path_tokens text[] generated always as (string_to_array(name, '/')) stored,
    version text,
    created_at timestamptz default now(),
    updated_at timestamptz default now(),
    last_accessed_at timestamptz default now()
);

create unique index bucketid_objname on storage.objects (bucket_id, name);

alter table storage.buckets enable row level security;
alter table storage.objects enable row level security;

grant all on storage.buckets, storage.objects to postgres with grant option;

create function storage.foldername(name text)
returns text[]
language sql
immutable
as $$
    select (string_to_array(name, '/'))[:cardinality(string_to_array(name, '/')) - 1];
$$;

create function storage.filename(name text)
returns text
language sql
immutable
as $$
    select split_part(name, '/', -1);
$$;

-- As hosted: a row deleted in SQL would leave its bytes behind. Storage itself sets the flag.
create function storage.protect_delete()
returns trigger
language plpgsql
as $$
begin
    if coalesce(current_setting('storage.allow_delete_query', true), 'false') <> 'true' then
        raise insufficient_privilege using
            message = 'Direct deletion from storage tables is not allowed. Use the Storage API instead.',
            hint = 'This prevents accidental data loss from orphaned objects.';
    end if;
    return null;
end;
$$;

create trigger protect_buckets_delete
    before delete on storage.buckets
    for each statement execute function storage.protect_delete();

create trigger protect_objects_delete
    before delete on storage.objects
    for each statement execute function storage.protect_delete();

reset role;

-- Hosted, supautils lets `postgres` make policies on storage.objects without owning it. Plain Postgres asks
-- for ownership, so here `postgres` inherits the owner, and bootstrap.sql refuses what hosted refuses.
grant supabase_storage_admin to postgres with inherit true, set false;
