import type { Backend, BackendContext, BackendType, ChannelError, StoredEntry, Supports } from "@ojm/core/backend";
import { Commits, MOST_OPS } from "./commits.js";
import type { Statement } from "./database.js";
import { joinTransaction } from "./fence.js";
import { openDatabase } from "./open.js";
import { OPTIONS, readOptions } from "./options.js";
import { schemaSql } from "./sql.js";
import { boundOf, Watches } from "./watches.js";

export { assertFence, type FencedRun, type QueryClient } from "./fence.js";
export { schemaSql };

/** The shortest pause between two sweeps of a process, in ms. The longest is twice as long. */
const SWEEP_EVERY = 30_000;

interface EntryRow {
  readonly key: string;
  readonly value: string;
  readonly version: string;
  readonly expires: string | null;
}

/**
 * Connects to PostgreSQL. Rejects with a `ChannelError`: `INVALID_CONFIG` for a wrong option, a schema of a
 * newer layout or an asynchronous replica, `DENIED` for a wrong password or missing rights, `UNAVAILABLE` if
 * the server cannot be reached within the deadline.
 */
async function open(args: Readonly<Record<string, unknown>>, { clock }: BackendContext): Promise<Backend> {
  const settings = readOptions(args);
  const { database, names, durability } = await openDatabase(settings, clock);
  const { schema } = names;
  const supports: Supports = Object.freeze({
    shared: "network",
    durability,
    commitAcrossChannels: true,
    ttl: true,
    watch: true,
    transactions: true,
    maxOps: MOST_OPS,
    // A page of an index must hold a key three times.
    maxKeyBytes: 2_048,
    maxValueBytes: 16 * 1_024 * 1_024,
  });
  /** Set while another process has given the schema a layout that this version does not know. */
  let newer: ChannelError | undefined;
  const assertKnown = (): void => {
    if (newer !== undefined) throw newer;
  };
  const watches = new Watches(database, names);
  const commits = new Commits({
    database,
    names,
    // The heartbeat and reads find a connection even if all commits wait, and watches listen on one.
    connections: settings.connections - 2,
    onLayout: (error) => {
      newer = error;
    },
  });
  let nextSweep = clock.monotonic() + sweepPause();
  const sweep = (): void => {
    if (clock.monotonic() < nextSweep) return;
    nextSweep = clock.monotonic() + sweepPause();
    database.query({ text: `select ${schema}.sweep()` }).catch(() => {});
  };

  const columns = (value: string): string =>
    `key, ${value} as value, version::text, (extract(epoch from expires - statement_timestamp()) * 1000)::text as expires`;
  // A subquery is called once, even where there is no row.
  const present = `(expires > statement_timestamp()) is not false and (select ${schema}.durable())`;
  // The server plans a statement with an array again for each call, and one with a single key only once.
  const readKeys = (name: string, condition: string): Statement => ({
    name,
    text: `select ${columns("value")} from ${schema}.entries where ${condition} and ${present}`,
  });
  const [readOne, readMany] = [readKeys("ojm get", "key = $1"), readKeys("ojm read", "key = any($1::text[])")];
  const scanPage = (order: "asc" | "desc", values: boolean): Statement => ({
    name: `ojm scan ${order} ${values}`,
    text:
      `select ${columns(values ? "value" : "''")} from ${schema}.entries ` +
      `where key >= $1 and key < $2 and ${present} order by key ${order} limit $3`,
  });

  return {
    supports,
    async read(keys, options) {
      assertKnown();
      const isOne = keys.length === 1;
      const rows = await database.look<EntryRow>(isOne ? readOne : readMany, isOne ? [...keys] : [keys], options);
      const found = new Map(rows.map((row) => [row.key, entryOf(row)]));
      return keys.map((key) => found.get(key));
    },
    async scan({ from, to, reverse, limit, values }, options) {
      assertKnown();
      const statement = scanPage(reverse ? "desc" : "asc", values);
      // One entry more than requested shows whether there are more.
      const rows = await database.look<EntryRow>(statement, [boundOf(from), boundOf(to), limit + 1], options);
      return { entries: rows.slice(0, limit).map(entryOf), more: rows.length > limit };
    },
    commit(commit, options) {
      sweep();
      return commits.commit(commit, options);
    },
    async commitIn(transaction, commit) {
      assertKnown();
      const patience = Math.ceil(settings.deadline * 0.8);
      await joinTransaction(transaction, commit, { where: settings.where, names, patience });
    },
    async watch(range, sink) {
      assertKnown();
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

function entryOf({ key, value, version, expires }: EntryRow): StoredEntry {
  return { key, value, version, ...(expires === null ? {} : { expiresIn: Number(expires) }) };
}

/** Channels in PostgreSQL. */
export const backend: BackendType = {
  type: "postgres",
  options: OPTIONS,
  schemaSql,
  load: () => import("pg"),
  open,
};
