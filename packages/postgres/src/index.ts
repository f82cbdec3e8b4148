import type { Backend, BackendContext, BackendType, Supports } from "@ojm/core/backend";
import { Commits, MOST_OPS } from "./commits.js";
import { type EntryRow, entryOf } from "./database.js";
import { joinTransaction } from "./fence.js";
import { openDatabase } from "./open.js";
import { OPTIONS, readOptions } from "./options.js";
import { schemaSql } from "./sql.js";
import { boundOf, Watches } from "./watches.js";

export { assertFence, type FencedRun, type QueryClient } from "./fence.js";
export { schemaSql };

/** The shortest pause between two sweeps of a process, in ms. The longest is twice as long. */
const SWEEP_EVERY = 30_000;

/**
 * Connects to PostgreSQL. Rejects with a `ChannelError`: `INVALID_CONFIG` for a wrong option, a schema of a
 * newer layout or an asynchronous replica, `DENIED` for a wrong password or missing rights, `UNAVAILABLE` if
 * the server cannot be reached within the deadline.
 */
async function open(args: Readonly<Record<string, unknown>>, { clock }: BackendContext): Promise<Backend> {
  const settings = readOptions(args);
  const { database, names, layout, durability } = await openDatabase(settings, clock);
  const { schema } = names;
  const supports: Supports = Object.freeze({
    shared: "network",
    ...durability,
    commitAcrossChannels: true,
    ttl: true,
    watch: true,
    transactions: true,
    maxOps: MOST_OPS,
    // A page of an index must hold a key three times.
    maxKeyBytes: 2_048,
    maxValueBytes: 16 * 1_024 * 1_024,
  });
  const watches = new Watches(database, names);
  // The heartbeat and reads find a connection even if all commits wait, and watches listen on one.
  const commits = new Commits({ database, names, layout, connections: settings.connections - 2 });
  let nextSweep = clock.monotonic() + sweepPause();
  const sweep = (): void => {
    if (clock.monotonic() < nextSweep) return;
    nextSweep = clock.monotonic() + sweepPause();
    database.query(`select ${schema}.sweep()`).catch(() => {});
  };

  const entries = (value: string): string =>
    `select key, ${value} as value, version::text, ` +
    `(extract(epoch from expires - statement_timestamp()) * 1000)::text as expires from ${schema}.entries ` +
    // The planner takes "is not false" for something rare: it would read and sort the whole range for a page.
    // A subquery is called once, even where there is no row.
    `where (expires is null or expires > statement_timestamp()) and (select ${schema}.durable()) `;

  return {
    supports,
    async read(keys, options) {
      layout.assertKnown();
      // The server plans a statement with an array again for each call, and one with a single key only once.
      const [text, values] = keys.length === 1 ? ["key = $1", [...keys]] : ["key = any($1::text[])", [keys]];
      const rows = await database.look<EntryRow>(`${entries("value")} and ${text}`, values as unknown[], options);
      const found = new Map(rows.map((row) => [row.key, entryOf(row)]));
      return keys.map((key) => found.get(key));
    },
    async scan({ from, to, reverse, limit, values }, options) {
      layout.assertKnown();
      const order = `key >= $1 and key < $2 order by key ${reverse ? "desc" : "asc"} limit $3`;
      const text = `${entries(values ? "value" : "''")} and ${order}`;
      // One entry more than requested shows whether there are more.
      const rows = await database.look<EntryRow>(text, [boundOf(from), boundOf(to), limit + 1], options);
      return { entries: rows.slice(0, limit).map(entryOf), more: rows.length > limit };
    },
    commit(commit, options) {
      sweep();
      return commits.commit(commit, options);
    },
    async commitIn(transaction, commit) {
      layout.assertKnown();
      const patience = Math.ceil(settings.deadline * 0.8);
      await joinTransaction(transaction, commit, { where: settings.where, names, patience });
    },
    async watch(range, sink) {
      layout.assertKnown();
      return watches.watch(range, sink);
    },
    async close() {
      watches.close();
      await database.close();
    },
  };
}

function sweepPause(): number {
  return SWEEP_EVERY * (1 + Math.random());
}

/** Channels in PostgreSQL. */
export const backend: BackendType = {
  type: "postgres",
  options: OPTIONS,
  schemaSql,
  load: () => import("pg"),
  open,
};
