import { parseArgs } from "node:util";
import { openJobManager } from "@ojm/core";
import { postgresMissing, postgresVersion, startPostgres } from "@ojm/testing/postgres";

/*
 * How the tables of PostgreSQL grow under many runs, of which the newest hundred of each name are kept, and
 * what is left of them after VACUUM FULL: the difference is bloat.
 */
const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "1000000" },
    /** How often to prune and to show the sizes, in runs. */
    every: { type: "string", default: "50000" },
    names: { type: "string", default: "32" },
    /** Storage parameters of the entries, as "fillfactor = 100". Default: those of the schema. */
    entries: { type: "string" },
  },
});
const [RUNS, EVERY, NAMES] = [Number(values.runs), Number(values.every), Number(values.names)];

const missing = postgresMissing();
if (missing !== undefined) {
  console.log(`not measured: ${missing}`);
  process.exit(0);
}
const server = await startPostgres();
const store = { type: "postgres", args: { url: server.url } };
const manager = await openJobManager({ chJobs: store, chLocks: store, retention: false });
if (values.entries !== undefined) await server.sql(`alter table ojm.entries set (${values.entries})`);

const SIZES = `
  select relname as name, n_live_tup::int as live, n_dead_tup::int as dead, autovacuum_count::int as vacuums,
    (100 * n_tup_hot_upd / greatest(n_tup_upd, 1))::int as hot,
    pg_relation_size(relid)::float8 / 1024 as heap, pg_indexes_size(relid)::float8 / 1024 as indexes
  from pg_stat_user_tables where schemaname = 'ojm' and relname in ('entries', 'changes', 'watched', 'watchers')
  order by pg_total_relation_size(relid) desc`;

async function show(title: string): Promise<void> {
  for (const row of await server.sql(SIZES)) {
    const { name, live, dead, vacuums, hot, heap, indexes } = row as Record<string, number>;
    const numbers = [live, dead, `${hot} %`, vacuums, `${heap} KB`, `${indexes} KB`];
    console.log(title.padStart(9), String(name).padEnd(9), ...numbers.map((it) => String(it).padStart(10)));
  }
}

async function repeat(name: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await manager.run(name, () => undefined);
}

console.log(`PostgreSQL ${postgresVersion()}, ${NAMES} names, the newest 100 runs of each are kept.\n`);
console.log(`${"runs".padStart(9)} table           live       dead  HOT updates  vacuums       heap    indexes`);
for (let done = 0; done < RUNS; done += EVERY) {
  await Promise.all(Array.from({ length: NAMES }, (_, i) => repeat(`job-${i}`, EVERY / NAMES)));
  await manager.prune({ olderThan: 0, keep: 100 });
  await show(String(done + EVERY));
}
await manager.close();
for (const table of ["entries", "changes", "watched", "watchers"])
  await server.sql(`vacuum (full, analyze) ojm.${table}`);
await show("rewritten");
await server.stop();
