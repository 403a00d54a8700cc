-- The shop's next release, months after Mailpipe came: what it makes now must be as open and as closed as if it were
-- alone. Run as `postgres`.

create table public.reviews (
    id bigserial primary key,
    author uuid not null default auth.uid(),
    body text not null
);

alter table public.reviews enable row level security;

create policy "reviews are public, and one's own to write"
    on public.reviews
    for all
    using (true)
    with check (author = (select auth.uid()));

create table shop.refunds (
    id bigint generated always as identity primary key,
    amount shop.cents not null
);

grant insert on shop.refunds to shop_backend;
create sequence public.invoice_numbers;
create sequence shop.parcel_numbers;
create type public.rating as enum ('good', 'bad');
create type shop.parcel as (weight int);

create function public.rate(wanted public.rating)
returns text
language sql
as $$
    select 'rated ' || wanted;
$$;

create function public.count_refunds()
returns bigint
language sql
security definer
set search_path = ''
as $$
    select count(*)
    from shop.refunds;
$$;

revoke execute on function public.count_refunds() from public, anon, authenticated;
create schema blog;
grant usage on schema blog to anon;

create table blog.posts (
    id int primary key,
    title text
);

create function blog.latest()
returns text
language sql
as $$
    select 'none yet'::text;
$$;

create materialized view blog.titles as
select title
from blog.posts;

create view public.loud_products as
select upper(title) as title
from public.products;

alter table public.orders add column gift boolean not null default false;
alter default privileges in schema blog grant select on tables to anon;
create table blog.tags (tag text primary key);
alter publication shop_changes add table public.reviews;

insert into storage.buckets (id, name)
values ('reviews', 'reviews');
