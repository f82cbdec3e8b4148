import { randomUUID } from "node:crypto";
import pg from "pg";
import type { RawStore } from "../run/contestant.js";
import { ended, type Floor, session, started, startTimes, TTL } from "./floor.js";

/** Several floors share the schema: each has a session of its own. */
const TABLES = `
  select pg_advisory_xact_lock(hashtextextended('floor', 0));
  create schema if not exists floor;
  create sequence if not exists floor.versions;
  create table if not exists floor.sessions (id text primary key, expires timestamptz not null, value text not null);
  create table if not exists floor.locks (name text primary key, fence bigint not null, value text not null);
  create table if not exists floor.queues (name text primary key, value text not null);
  create table if not exists floor.records (name text, start bigint, value text not null, primary key (name, start));
  create index if not exists records_by_time on floor.records (start, name);
  create table if not exists floor.raw (key text primary key, version bigint not null, value text not null);

  -- Two statements: the second one sees all that was committed before the first one had its locks. What ends a
  -- session or enters a queue takes the same locks.
  create or replace function floor.start(me text, job text, begun bigint, lock text, record text) returns bigint
  language plpgsql as $$
  declare
    fence bigint;
  begin
    perform pg_advisory_xact_lock_shared(hashtextextended(me, 1)), pg_advisory_xact_lock(hashtextextended(job, 2));
    with taken as (
      insert into floor.locks as it (name, fence, value) select job, nextval('floor.versions'), lock
      where exists (select from floor.sessions where id = me and expires > clock_timestamp())
        and not exists (select from floor.queues where name = job)
      on conflict do nothing returning it.fence
    ), opened as (
      insert into floor.records (name, start, value) select job, begun, record from taken
    )
    select taken.fence into fence from taken;
    return fence;
  end $$;

  create or replace function floor.finish(me text, job text, begun bigint, mine bigint, record text) returns boolean
  language plpgsql as $$
  declare
    done boolean;
  begin
    perform pg_advisory_xact_lock_shared(hashtextextended(me, 1)), pg_advisory_xact_lock(hashtextextended(job, 2));
    with released as (
      delete from floor.locks where name = job and fence = mine
        and exists (select from floor.sessions where id = me and expires > clock_timestamp())
      returning name
    ), closed as (
      update floor.records set value = record from released where records.name = released.name and start = begun
    ), notified as (
      select pg_notify('floor', released.name) from released join floor.queues on queues.name = released.name
    )
    select (select count(*) from notified) >= 0 into done from released;
    return done;
  end $$;`;

const START = { name: "floor start", text: "select floor.start($1, $2, $3, $4, $5) as fence" };
const FINISH = { name: "floor finish", text: "select floor.finish($1, $2, $3, $4, $5) as done" };
const RENEW = `
  insert into floor.sessions values ($1, clock_timestamp() + $2 * interval '1 ms', $3)
  on conflict (id) do update set expires = excluded.expires, value = excluded.value`;

/** Two calls, each a transaction that locks its name alone: other names share the sync of the disk. */
export async function postgresFloor(connectionString: string): Promise<Floor> {
  const pool = new pg.Pool({ connectionString, max: 32 });
  await pool.query(TABLES);
  const me = randomUUID();
  const renew = (): Promise<unknown> => pool.query(RENEW, [me, TTL, JSON.stringify(session)]);
  await renew();
  const heartbeat = setInterval(renew, TTL / 3);
  const next = startTimes();
  return {
    async run(job) {
      const { record, lock } = started(job, next(job));
      const begun = record.startTime;
      const start = { ...START, values: [me, job, begun, JSON.stringify(lock), JSON.stringify(record)] };
      const fence = (await pool.query<{ fence: string | null }>(start)).rows[0]?.fence ?? null;
      if (fence === null) throw new Error(`${job} is locked, or the session is over`);
      const text = JSON.stringify(ended(record, fence, Date.now()));
      const finish = { ...FINISH, values: [me, job, begun, fence, text] };
      const { rows } = await pool.query<{ done: boolean | null }>(finish);
      if (rows[0]?.done !== true) throw new Error(`${job} was lost`);
    },
    async records() {
      const { rows } = await pool.query(`select count(*) from floor.records where value like '%"completed"%'`);
      return Number(rows[0]?.count);
    },
    async close() {
      clearInterval(heartbeat);
      await pool.end();
    },
    verbs: rawStore(pool),
  };
}

const GET = { name: "floor get", text: "select value from floor.raw where key = $1" };
const SET = {
  name: "floor set",
  text: `insert into floor.raw values ($1, nextval('floor.versions'), $2)
    on conflict (key) do update set version = excluded.version, value = excluded.value`,
};
const CREATE = {
  name: "floor create",
  text: "insert into floor.raw values ($1, nextval('floor.versions'), $2) on conflict do nothing returning version",
};
const SWAP = {
  name: "floor swap",
  text: `update floor.raw set version = nextval('floor.versions'), value = $2
    where key = $1 and version = $3 returning version`,
};

function rawStore(pool: pg.Pool): RawStore {
  return {
    async get(key) {
      const { rows } = await pool.query<{ value: string }>({ ...GET, values: [key] });
      return rows[0] === undefined ? undefined : JSON.parse(rows[0].value);
    },
    async set(key, value) {
      await pool.query({ ...SET, values: [key, JSON.stringify(value)] });
    },
    async compareAndSet(key, version, value) {
      const text = JSON.stringify(value);
      const swap = version === null ? { ...CREATE, values: [key, text] } : { ...SWAP, values: [key, text, version] };
      return (await pool.query<{ version: string }>(swap)).rows[0]?.version;
    },
  };
}
