/**
 * The whole schema. Keys and values are `bytea`: no collation changes their order, and no text is refused.
 */
export const SCHEMA = `
-- Two programs that open a new database at once would stumble over each other's tables.
select pg_advisory_xact_lock(hashtext('ojm schema'));
create schema if not exists ojm;

-- One row: the version of the last commit, and the last one whose changes were forgotten.
create table if not exists ojm.head (version bigint not null, forgotten bigint not null);
insert into ojm.head select 0, 0 where not exists (select from ojm.head);

-- Deadlines are milliseconds since 1970 by the clock of the server, or null.
create table if not exists ojm.entries (key bytea primary key, value bytea not null, version bigint not null, deadline float8);
create index if not exists entries_deadline on ojm.entries (deadline) where deadline is not null;

-- What was written in the last minute, for watches. The value of a delete is null.
create table if not exists ojm.changes (version bigint not null, key bytea not null, value bytea, deadline float8);
create index if not exists changes_version on ojm.changes (version);

create or replace function ojm.commit(check_keys bytea[], check_versions text[], write_keys bytea[], write_values bytea[], ttls float8[])
returns table (applied bigint, key bytea, value bytea, version bigint, expires_in float8) language plpgsql as $$
#variable_conflict use_column
declare moment float8; written bigint;
begin
  -- From here to the end of the transaction there is no other commit, and each statement below sees all that were before.
  perform from ojm.head for update;
  moment := extract(epoch from clock_timestamp()) * 1000;
  return query select null::bigint, key, value, version, expires_in from (
    select wanted.key, wanted.place, entry.value, entry.version, entry.deadline - moment as expires_in,
      bool_or(entry.version::text is distinct from wanted.version) over () as lost
    from unnest(check_keys, check_versions) with ordinality as wanted(key, version, place)
    left join ojm.entries as entry on entry.key = wanted.key and (entry.deadline > moment) is not false
  ) as checked where lost order by place;
  if found then return; end if;

  -- Not below the clock: versions increase even when a backup was restored, or a replica that lacked the last commits took over.
  update ojm.head set version = greatest(version + 1, (moment * 1000)::bigint) returning version into written;
  delete from ojm.entries as old using unnest(write_keys, write_values) as new(key, value) where old.key = new.key and new.value is null;
  insert into ojm.entries (key, value, version, deadline)
    select key, value, written, moment + ttl from unnest(write_keys, write_values, ttls) as new(key, value, ttl) where value is not null
    on conflict (key) do update set value = excluded.value, version = excluded.version, deadline = excluded.deadline;
  insert into ojm.changes (version, key, value, deadline) select written, key, value, moment + ttl from unnest(write_keys, write_values, ttls) as new(key, value, ttl);

  -- What is over is removed. No fresh write can be hit: there is no other commit meanwhile.
  with gone as (delete from ojm.changes where version <= written - 60000000 returning version)
    update ojm.head set forgotten = newest from (select max(version) as newest from gone) as gone where newest is not null;
  delete from ojm.entries where key in (select key from ojm.entries where deadline <= moment order by deadline limit 1000);
  notify ojm;
  return query select written, null::bytea, null::bytea, null::bigint, null::float8;
end $$`;
