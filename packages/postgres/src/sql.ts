import { LATE, NEWER_LAYOUT, NOT_JOINABLE } from "./errors.js";
import { schemaOf } from "./options.js";

/**
 * The number of the layout: the tables, and what the functions do with them. If programs of this layout can
 * live with a change, as with a new function or a column with a default, append a migration and keep the
 * number. Otherwise raise it: older programs then refuse the schema.
 */
export const LAYOUT = 1;

/** How long a watching process may be silent before its watches are removed, in ms. */
export const WATCHER_LIFE = 60_000;

/** A text of SQL. */
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** The names in the database, quoted, and the ids of the advisory locks. */
export class Names {
  readonly schema: string;
  readonly #schemaText: string;

  constructor(schema: string) {
    this.schema = `"${schema.replaceAll('"', '""')}"`;
    this.#schemaText = literal(schema);
  }

  /** The id of the lock of a key, an expression of SQL. Two keys of one id only wait for each other. */
  lock(key: string): string {
    return `hashtextextended(${key}, hashtext(${this.#schemaText}))`;
  }

  /**
   * Each commit holds this lock from before it draws its version until it is visible. So versions have the
   * order in which commits become visible, and no commit waits for the disk while it holds the lock. No key
   * has this text: a key begins with the name of its channel.
   */
  get gate(): string {
    return this.lock("' gate'");
  }
}

/**
 * The migrations, in order: a schema at number 2 has had the first two. Never change one that was published.
 * Each may run beside processes that know only the earlier ones.
 */
export const MIGRATIONS: readonly ((names: Names) => string)[] = [first];

function first(names: Names): string {
  const { schema, gate } = names;
  const versions = literal(`${schema}.versions`);
  const file = `pg_relation_filepath(${literal(`${schema}.entries`)}::regclass)`;
  const entered = `(boot is not distinct from pg_postmaster_start_time() and place is not distinct from ${file})`;
  return `
create table ${schema}.meta (
  id int primary key default 1 check (id = 1),
  layout int not null,
  migration int not null,
  boot timestamptz,             -- the start of the server for which the sequence was raised
  place text                    -- the file of the entries then: a dump is restored into another one
);

create sequence ${schema}.versions cache 1;

-- "value" is the last column. Sessions and locks change all the time: leave room for them on their page.
create table ${schema}.entries (
  key text collate "C" primary key,
  version bigint not null,
  expires timestamptz,
  value text not null
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index entries_expires on ${schema}.entries (expires) where expires is not null;

-- A crash of the server empties the unlogged tables. Each watching process then finds its row missing,
-- registers again, and reports a gap.
create unlogged table ${schema}.watchers (id bigint primary key, expires timestamptz not null);
create unlogged table ${schema}.watched (
  watcher bigint not null,
  wide boolean not null,        -- false: the one key "low"
  low text collate "C" not null,
  high text collate "C" not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
create index watched_key on ${schema}.watched (low) where not wide;
create index watched_wide on ${schema}.watched (low) where wide;
create index watched_watcher on ${schema}.watched (watcher);

-- One row for each watching process and change of a key that it watches.
create unlogged table ${schema}.changes (
  watcher bigint not null,
  version bigint not null,
  expires timestamptz,
  key text collate "C" not null,
  value text                    -- null: deleted
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
create index changes_watcher on ${schema}.changes (watcher, version);

-- Raises the sequence after a start of the server, even if a backup was restored or a replica without the last
-- commits was promoted: the clock has counted more microseconds since then than commits can have been made. The
-- same after a dump was restored: it has an older sequence. It may have watches too, whose processes have missed
-- the restored changes: without their rows, they register again and report a gap.
create function ${schema}.enter_boot() returns void language plpgsql as $$
begin
  perform pg_advisory_xact_lock(${names.lock("' boot'")});
  if (select ${entered} from ${schema}.meta) then return; end if;
  delete from ${schema}.watchers where (select place is distinct from ${file} from ${schema}.meta);
  perform setval(${versions}, greatest(
    (select last_value from ${schema}.versions), (extract(epoch from clock_timestamp()) * 1000000)::bigint));
  update ${schema}.meta set boot = pg_postmaster_start_time(), place = ${file};
end $$;

-- Returns true, once all that is visible survives a crash of the server and a failover: the transaction of the
-- caller then waits for the disk and for synchronous replicas. A standby may lack the last commits: it fails.
create function ${schema}.durable() returns boolean language plpgsql as $$
begin
  if pg_is_in_recovery() then
    raise exception 'the server is a standby' using errcode = 'read_only_sql_transaction';
  end if;
  if current_setting('synchronous_standby_names') = '' and pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn() then
    return true;
  end if;
  if current_setting('synchronous_commit') in ('off', 'local') then
    perform set_config('synchronous_commit', 'on', true);
  end if;
  return pg_logical_emit_message(true, 'ojm', '') is not null;
end $$;

-- Applies several commits, each by itself. One op is a key of a commit. kind: 1 a check, 2 a write, 3 both. No key
-- that a commit writes is in another of them. patience: for a key, which a transaction with a fence may hold for
-- long; longest: for all other locks. If they are the same, the call has one commit, which waits only if its checks
-- hold when it begins. A plan is made once for a connection: otherwise planning would take more than twice the time
-- of all the rest.
create function ${schema}.apply(
  known int, patience int, longest int, commits int,
  parts int[], keys text[], kinds int[], versions bigint[], contents text[], ttls float8[],
  out result text, out woken bigint[]
) language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off
  set enable_mergejoin = off set jit = off as $$
declare
  moment timestamptz;
  meta record;
  failed int[];                 -- the commits of which a check fails
  present json;                 -- the checked entries of these commits
  refused boolean;
  fresh bigint[];               -- the version of each commit, from number 0 up; null: refused
  done text;
begin
  done := set_config('synchronous_commit', 'off', true) || set_config('lock_timeout', patience::text, true);
  select layout, ${entered} as entered into meta from ${schema}.meta;
  if meta.layout > known then raise exception '%', meta.layout using errcode = '${NEWER_LAYOUT}'; end if;
  if not meta.entered then perform ${schema}.enter_boot(); end if;

  -- The second attempt holds the locks. The first one is for a commit that may wait for long.
  for attempt in case when patience < longest then 2 else 1 end .. 2 loop
    if attempt = 2 then
      -- All commits lock keys in this order, so there is no deadlock. assert_fence shares these locks.
      perform pg_advisory_xact_lock(${names.lock("key")}) from (
        select key from unnest(keys, kinds) as op (key, kind) where kind > 1 order by key collate "C"
      ) as op;
      done := set_config('lock_timeout', longest::text, true);
      done := pg_advisory_xact_lock(${gate})::text;
      -- From here on there is no other commit, and the next statement sees all that were before.
    end if;
    moment := clock_timestamp();
    failed := array(
      select part from unnest(parts, keys, kinds, versions) as op (part, key, kind, version)
      left join ${schema}.entries as entry on entry.key = op.key and (entry.expires > moment) is not false
      where kind <> 2 and entry.version is distinct from op.version);
    continue when failed = '{}';
    -- What is returned was there at one moment, at which a check failed: without the locks, judge again.
    select json_agg(json_build_array(part, op.key, value, entry.version::text,
        extract(epoch from expires - moment) * 1000)) filter (where entry.version is not null),
      bool_or(entry.version is distinct from op.version)
      into present, refused
    from unnest(parts, keys, kinds, versions) as op (part, key, kind, version)
    left join ${schema}.entries as entry on entry.key = op.key and (entry.expires > moment) is not false
    where kind <> 2 and part = any(failed);
    exit when refused;
  end loop;

  for one in 0 .. commits - 1 loop
    fresh[one] := case when one = any(failed) then null else nextval(${versions}) end;
  end loop;
  with written as materialized (
    select key, content, fresh[part] as version, moment + ttl * interval '1 ms' as expires
    from unnest(parts, keys, kinds, contents, ttls) as op (part, key, kind, content, ttl)
    where kind > 1 and fresh[part] is not null
  ), deleted as (
    delete from ${schema}.entries using written where entries.key = written.key and content is null
  )
  insert into ${schema}.entries (key, version, expires, value)
  select key, version, expires, content from written where content is not null
  on conflict (key) do update set version = excluded.version, expires = excluded.expires, value = excluded.value;

  -- Most commits are watched by no process, and a look at the indexes is cheaper than the statement.
  woken := '{}';
  if exists (select from ${schema}.watched where not wide and low = any(keys))
    or exists (select from ${schema}.watched where wide) then
    with noticed as (
      insert into ${schema}.changes (watcher, version, expires, key, value)
      select by.watcher, fresh[part], moment + ttl * interval '1 ms', key, content
      from unnest(parts, keys, kinds, contents, ttls) as op (part, key, kind, content, ttl), lateral (
        select watcher from ${schema}.watched where not wide and low = key
        union select watcher from ${schema}.watched where wide and low <= key and key < high
      ) as by
      where kind > 1 and fresh[part] is not null
      returning watcher
    )
    select array(select distinct watcher from noticed) into woken;
  end if;
  result := json_build_object('versions', to_json(fresh::text[]), 'lost', present);
end $$;

-- Three transactions: the first makes the commits visible, one after the other with those of other processes
-- but at the pace of the memory. The second notifies: it may wait for other users of NOTIFY. The third waits for
-- the disk, together with all others that wait. Only then the caller has its answer, so nothing that was
-- acknowledged, or that a read has returned, can be lost.
create procedure ${schema}.commit(
  known int, patience int, longest int, commits int,
  parts int[], keys text[], kinds int[], versions bigint[], contents text[], ttls float8[],
  inout result text default null
) language plpgsql as $$
declare
  applied record;
  waited boolean;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    rollback;
    set transaction isolation level read committed;
  end if;
  applied := ${schema}.apply(known, patience, longest, commits, parts, keys, kinds, versions, contents, ttls);
  result := applied.result;
  commit;
  if applied.woken <> '{}' then
    perform pg_notify('ojm_' || watcher, '') from unnest(applied.woken) as watcher;
    commit;
  end if;
  waited := ${schema}.durable();
end $$;

-- Registers a range, and the process if "me" is null. "id": null if the process is no longer registered. "seen":
-- the version after which changes are reported.
create function ${schema}.watch(me bigint, is_wide boolean, first text, beyond text, out id bigint, out seen bigint)
language plpgsql as $$
begin
  perform set_config('synchronous_commit', 'off', true);
  if not (select ${entered} from ${schema}.meta) then perform ${schema}.enter_boot(); end if;
  -- Each commit is visible before this transaction, or sees its rows.
  perform pg_advisory_xact_lock(${gate});
  if me is null then
    me := nextval(${versions});
    insert into ${schema}.watchers values (me, clock_timestamp() + interval '${WATCHER_LIFE} ms');
  else
    perform from ${schema}.watchers where watchers.id = me;
    if not found then return; end if;
  end if;
  insert into ${schema}.watched values (me, is_wide, first, beyond);
  id := me;
  seen := (select last_value from ${schema}.versions);
end $$;

-- Says that the process lives, and forgets the changes that it has seen.
create function ${schema}.renew(me bigint, seen bigint) returns boolean language sql as $$
  delete from ${schema}.changes where watcher = me and version <= seen;
  update ${schema}.watchers set expires = clock_timestamp() + interval '${WATCHER_LIFE} ms'
    where id = me returning true;
$$;

-- Removes what has expired. A fresh write is safe: a row that is being changed is left alone.
create function ${schema}.sweep() returns void language plpgsql as $$
begin
  if not pg_try_advisory_xact_lock(${names.lock("' sweep'")}) then return; end if;
  -- A commit may wait for one of these rows: it must not wait for the disk. A crash only brings back expired rows.
  perform set_config('synchronous_commit', 'off', true);
  delete from ${schema}.entries where expires <= now() and key in (
    select key from ${schema}.entries where expires <= now() order by expires limit 1000 for update skip locked);
  delete from ${schema}.watchers where expires <= now();
  delete from ${schema}.watched where not exists (select from ${schema}.watchers where id = watcher);
  delete from ${schema}.changes where not exists (select from ${schema}.watchers where id = watcher);
end $$;

-- Fails unless the entry of a lock is at this version, and keeps it there until the caller's transaction ends.
-- FOR SHARE reads past the snapshot of a caller at REPEATABLE READ, which may be older than the lock.
create function ${schema}.assert_fence(name text, fence bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform pg_advisory_xact_lock_shared(${names.lock("name")});
  perform from ${schema}.entries where key = name and version = fence for share;
  if not found then
    raise exception 'ojm: the lock of this run was taken over or released (fence %)', fence using errcode = '${LATE}';
  end if;
end $$;

-- The ops that joined a transaction of a user, one for each key: for itself alone, from the call until its COMMIT.
create unlogged table ${schema}.joined (
  transaction xid8 not null default pg_current_xact_id(),
  known int not null,
  patience int not null,
  key text not null,
  kind int not null,            -- as for "apply"
  version bigint,
  value text,
  ttl float8,
  primary key (transaction, key)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

create function ${schema}.join_commit(known int, patience int, ops json) returns void language plpgsql as $$
begin
  -- An older snapshot would miss processes that began to watch since.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'ojm: only a transaction at READ COMMITTED can be joined' using errcode = '${NOT_JOINABLE}';
  end if;
  insert into ${schema}.joined as old (known, patience, key, kind, version, value, ttl)
  select known, patience, op.* from json_to_recordset(ops)
    as op (key text, kind int, version bigint, value text, ttl float8)
  on conflict on constraint joined_pkey do update set
    kind = old.kind | excluded.kind,
    -- Two checks of a key for different versions cannot both hold. No entry has version -1.
    version = case when old.kind & excluded.kind & 1 = 0 then coalesce(old.version, excluded.version)
      when old.version is distinct from excluded.version then -1 else old.version end,
    value = case when excluded.kind > 1 then excluded.value else old.value end,
    ttl = case when excluded.kind > 1 then excluded.ttl else old.ttl end;
end $$;

-- Applies all ops of a transaction in its COMMIT, when no statement of the user can follow: so the gate is held for
-- the time of the COMMIT, and never while a client thinks, hangs or is suspended.
create function ${schema}.commit_joined() returns trigger language plpgsql as $$
declare
  durability text := current_setting('synchronous_commit');
  one record;
  done record;
begin
  with own as (
    delete from ${schema}.joined where transaction = pg_current_xact_id() returning *
  )
  select max(known) as known, max(patience) as patience, array_agg(0) as parts, array_agg(key) as keys,
    array_agg(kind) as kinds, array_agg(version) as versions, array_agg(value) as contents, array_agg(ttl) as ttls
  into one from own;
  if one.keys is null then return null; end if;  -- an earlier row of this transaction has applied all
  select * into done from ${schema}.apply(one.known, one.patience, one.patience, 1,
    one.parts, one.keys, one.kinds, one.versions, one.contents, one.ttls);
  if done.result::json #>> '{versions,0}' is null then
    raise exception 'ojm: an entry that this transaction relies on has changed, such as the lock of its run'
      using errcode = '${LATE}';
  end if;
  perform pg_notify('ojm_' || watcher, '') from unnest(done.woken) as watcher;
  -- "apply" leaves the disk to others: here the COMMIT itself waits for it.
  if durability in ('off', 'local') then durability := 'on'; end if;
  perform set_config('synchronous_commit', durability, true);
  -- After SET CONSTRAINTS ALL IMMEDIATE, the gate is held before the COMMIT: a client that hangs must not keep it.
  perform set_config('idle_in_transaction_session_timeout', '1000', true);
  return null;
end $$;
create constraint trigger commit_joined after insert on ${schema}.joined
  deferrable initially deferred for each row execute function ${schema}.commit_joined();

insert into ${schema}.meta (layout, migration) values (${LAYOUT}, 0);`;
}

/**
 * The SQL that creates the schema of a store, or brings it up to date, and grants a role what a process
 * needs at run time. Run it as often as you like: for administrators who do not permit `CREATE` to programs.
 *
 * @example
 * import { schemaSql } from "@ojm/postgres";
 * console.log(schemaSql({ schema: "ojm", role: "app" })); // as `ojm schema postgres` prints it
 */
export function schemaSql(options: { readonly schema?: string; readonly role?: string } = {}): string {
  const { role } = options;
  const names = new Names(schemaOf(options));
  const { schema } = names;
  const steps = MIGRATIONS.map((make, i) => `  if done <= ${i} then execute $sql$${make(names)}$sql$; end if;`);
  const update = `do $ojm$
declare
  done int := 0;
begin
  perform pg_advisory_xact_lock(${names.lock("' migrate'")});
  if to_regnamespace(${literal(schema)}) is null then create schema ${schema}; end if;
  if to_regclass(${literal(`${schema}.meta`)}) is not null then
    execute ${literal(`select migration from ${schema}.meta`)} into done;
  end if;
${steps.join("\n")}
  if done < ${MIGRATIONS.length} then update ${schema}.meta set migration = ${MIGRATIONS.length}; end if;
end $ojm$;
`;
  return role === undefined ? update : update + grants(names, role);
}

function grants({ schema }: Names, role: string): string {
  const to = `to "${role.replaceAll('"', '""')}"`;
  return `grant usage on schema ${schema} ${to};
grant select, insert, update, delete on all tables in schema ${schema} ${to};
grant select, usage, update on sequence ${schema}.versions ${to};
grant execute on all routines in schema ${schema} ${to};
`;
}
