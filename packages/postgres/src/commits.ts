import type { CallOptions, ChannelError, Commit, CommitOutcome, LayoutMark, StoredEntry } from "@ojm/core/backend";
import { JoinedCommit } from "@ojm/core/internal";
import type { Database } from "./database.js";
import { codeOf, explain, LOCKED, NEWER_LAYOUT } from "./errors.js";
import { LAYOUT, type Names } from "./sql.js";

/** The most commits of one call. All of them have an unknown outcome if its answer is lost. */
const COMMITS_PER_CALL = 32;

/** The most checks and writes of one call: the server keeps a lock for each in a table of a fixed size. */
export const MOST_OPS = 128;

/**
 * How long a call waits for a key, in ms. After that, each of its commits is sent alone, and waits only if
 * its checks hold: a transaction with a fence may hold a key for minutes.
 */
const FIRST_PATIENCE = 100;

/** 300 years, in ms: a longer time is beyond the server's calendar. */
const LONGEST_TTL = 1e13;

const CHECK = 1;
const WRITE = 2;

/** A version that no entry has. */
const NO_VERSION = "-1";

/** All that one commit says about one key. */
interface Op {
  readonly key: string;
  readonly kind: number;
  readonly version: string | null;
  readonly value: string | null;
  readonly ttl: number | null;
}

/** The result of the procedure. `versions`: `null` for a refused commit, whose entries are in `lost`. */
interface Reply {
  readonly versions: readonly (string | null)[];
  readonly lost:
    | readonly [part: number, key: string, value: string, version: string, expiresIn: number | null][]
    | null;
}

/** One commit of a call. */
class Part extends JoinedCommit {
  readonly commit: Commit;
  readonly ops: readonly Op[];
  /** When to give up, on the monotonic clock. */
  readonly end: number;
  /** Whether it shares no call with others, since one with it had to wait for a key. */
  isAlone = false;

  constructor(commit: Commit, end: number, { signal }: CallOptions) {
    super(signal);
    this.commit = commit;
    this.end = end;
    this.ops = opsOf(commit);
  }
}

/** The ops of a commit, one for each key. */
export function opsOf({ checks, writes }: Commit): Op[] {
  const ops = new Map<string, Op>();
  for (const { key, version } of checks) {
    // A check may have any text.
    const stored = version === null || /^[1-9]\d{0,17}$/.test(version) ? version : NO_VERSION;
    ops.set(key, { key, kind: CHECK, version: stored, value: null, ttl: null });
  }
  for (const { key, value, ttl: given } of writes) {
    const { kind = 0, version = null } = ops.get(key) ?? {};
    const ttl = given === undefined ? null : Math.min(given, LONGEST_TTL);
    ops.set(key, { key, kind: kind | WRITE, version, value, ttl });
  }
  return [...ops.values()];
}

export interface CommitsOptions {
  readonly database: Database;
  readonly names: Names;
  readonly layout: LayoutMark;
  /** The most calls at once. */
  readonly connections: number;
}

/**
 * Joins the commits that are made in one turn of the event loop to one call, in which the server judges each
 * alone. While all connections are busy, later commits join too.
 */
export class Commits {
  readonly #options: CommitsOptions;
  readonly #call: string;
  #waiting: Part[] = [];
  #calls = 0;
  #isDue = false;

  constructor(options: CommitsOptions) {
    this.#options = options;
    this.#call = `call ${options.names.schema}.commit($1::int, $2::int, $3::int, $4::int, $5::int[], $6::text[], $7::int[], $8::bigint[], $9::text[], $10::float8[])`;
  }

  commit(commit: Commit, options: CallOptions = {}): Promise<CommitOutcome> {
    const { clock, deadline } = this.#options.database;
    const part = new Part(commit, clock.monotonic() + deadline, options);
    if (part.isOver) return part.outcome;
    this.#waiting.push(part);
    // Wait no longer: this runs after the microtasks of the turn, before any timer or other socket.
    if (!this.#isDue) process.nextTick(() => this.#send());
    this.#isDue = true;
    return part.outcome;
  }

  #send(): void {
    this.#isDue = false;
    this.#waiting = this.#waiting.filter((part) => !part.isOver);
    while (this.#waiting.length > 0 && this.#calls < this.#options.connections) void this.#run(this.#take());
  }

  /** The first commits that can share a call: none writes a key that another one has. */
  #take(): Part[] {
    const kinds = new Map<string, number>();
    let ops = 0;
    let count = 0;
    for (const part of this.#waiting) {
      ops += part.ops.length;
      const clashes = part.ops.some(({ key, kind }) => kinds.has(key) && (kind | (kinds.get(key) ?? 0)) !== CHECK);
      if (count > 0 && (clashes || part.isAlone || ops > MOST_OPS)) break;
      for (const { key, kind } of part.ops) kinds.set(key, kind);
      if (++count === COMMITS_PER_CALL || part.isAlone) break;
    }
    return this.#waiting.splice(0, count);
  }

  async #run(parts: readonly Part[]): Promise<void> {
    const { database, layout } = this.#options;
    const end = endOf(parts);
    const sent: Part[] = [];
    const values: unknown[] = [];
    // Parts may be aborted during the wait for a connection.
    const onSent = (): void => {
      for (const part of parts) if (!part.isOver) sent.push(part);
      // The server gives up first: then the commit was certainly not applied.
      const longest = Math.max(1, Math.ceil((end - database.clock.monotonic()) * 0.8));
      const patience = sent.some(({ isAlone }) => isAlone) ? longest : Math.min(FIRST_PATIENCE, longest);
      values.push(LAYOUT, patience, longest, sent.length, ...columnsOf(sent));
    };
    this.#calls++;
    for (const part of parts) part.isSent = true;
    try {
      type Row = { readonly result: string };
      const [{ result }] = (await database.query<Row>(this.#call, values, { onSent, end })) as [Row];
      layout.accept(String(LAYOUT));
      const reply = JSON.parse(result) as Reply;
      for (const [i, part] of sent.entries()) part.answer(outcomeOf(part, reply, i));
    } catch (error) {
      const isLocked = codeOf(error) === LOCKED;
      if (isLocked && !parts.some(({ isAlone }) => isAlone)) {
        for (const part of sent) Object.assign(part, { isAlone: true, isSent: false });
        this.#waiting.unshift(...sent);
        return;
      }
      const explained = this.#explain(error, sent.length > 0);
      if (isLocked) explained.message += await this.#holdersOf(parts);
      for (const part of parts) part.fail(explained);
    } finally {
      this.#calls--;
      this.#send();
    }
  }

  /** For the error of commits that waited too long: which processes of the server hold one of their keys. */
  async #holdersOf(parts: readonly Part[]): Promise<string> {
    const { database, names } = this.#options;
    // The two halves of the id of a lock are in two columns.
    const text = `
select distinct pid from pg_locks where locktype = 'advisory' and objsubid = 1 and granted
  and database = (select oid from pg_database where datname = current_database())
  and (classid::bigint << 32 | objid::bigint) = any (array(select ${names.lock("key")} from unnest($1::text[]) as key))`;
    const keys = parts.flatMap(({ ops }) => ops.map(({ key }) => key));
    const rows = await database.query<{ readonly pid: number }>(text, [keys], { end: endOf(parts) }).catch(() => []);
    return rows.length === 0
      ? ""
      : `. Of the server, these processes hold a key: ${rows.map(({ pid }) => pid).join(", ")}`;
  }

  #explain(error: unknown, sent: boolean): ChannelError {
    const { database, layout } = this.#options;
    try {
      if (codeOf(error) === NEWER_LAYOUT) layout.accept((error as Error).message);
    } catch (newer) {
      return newer as ChannelError;
    }
    return explain(error, database.where, sent);
  }
}

/** When to give up a call, on the monotonic clock. */
function endOf(parts: readonly Part[]): number {
  return Math.min(...parts.map(({ end }) => end));
}

/** The columns of the ops, as the parameters. */
function columnsOf(parts: readonly Part[]): unknown[][] {
  const all = parts.flatMap(({ ops }) => ops);
  const columns = (["key", "kind", "version", "value", "ttl"] as const).map((name) => all.map((op) => op[name]));
  return [parts.flatMap(({ ops }, part) => ops.map(() => part)), ...columns];
}

function outcomeOf({ commit }: Part, { versions, lost }: Reply, part: number): CommitOutcome {
  const version = versions[part];
  if (typeof version === "string") return { ok: true, version };
  const present = new Map<string, StoredEntry>();
  for (const [of, key, value, version, expiresIn] of lost ?? [])
    if (of === part) present.set(key, { key, value, version, ...(expiresIn === null ? {} : { expiresIn }) });
  return { ok: false, current: commit.checks.map(({ key }) => present.get(key)) };
}
