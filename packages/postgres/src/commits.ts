import {
  type CallOptions,
  ChannelError,
  type Commit,
  type CommitOutcome,
  refuseNewerLayout,
  type StoredEntry,
} from "@ojm/core/backend";
import { JoinedCommit } from "@ojm/core/internal";
import type { Database, Statement } from "./database.js";
import { codeOf, explain, LOCKED, NEWER_LAYOUT } from "./errors.js";
import { layoutOf } from "./open.js";
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
  kind: number;
  version: string | null;
  value: string | null;
  ttl: number | null;
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

/** The version of a check as the server takes it. A check may have any text. */
export function storedVersion(version: string | null): string | null {
  return version === null || /^[1-9]\d{0,17}$/.test(version) ? version : NO_VERSION;
}

/** A time to live as the server takes it, in ms. */
export function storedTtl(ttl: number | undefined): number | null {
  return ttl === undefined ? null : Math.min(ttl, LONGEST_TTL);
}

/** The ops of a commit, one for each key. */
function opsOf({ checks, writes }: Commit): Op[] {
  const ops = new Map<string, Op>();
  for (const { key, version } of checks) {
    ops.set(key, { key, kind: CHECK, version: storedVersion(version), value: null, ttl: null });
  }
  for (const { key, value, ttl: given } of writes) {
    const ttl = storedTtl(given);
    const op = ops.get(key);
    if (op === undefined) ops.set(key, { key, kind: WRITE, version: null, value, ttl });
    else Object.assign(op, { kind: CHECK | WRITE, value, ttl });
  }
  return [...ops.values()];
}

export interface CommitsOptions {
  readonly database: Database;
  readonly names: Names;
  /** The most calls at once. */
  readonly connections: number;
  /** Called after each call: with an error if the schema has a layout that this version does not know. */
  onLayout(error?: ChannelError): void;
}

/**
 * Joins the commits that are made in one turn of the event loop to one call, in which the server judges each
 * alone. While all connections are busy, later commits join too.
 */
export class Commits {
  readonly #options: CommitsOptions;
  readonly #call: Statement;
  readonly #holders: Statement;
  #waiting: Part[] = [];
  #calls = 0;
  #isDue = false;

  constructor(options: CommitsOptions) {
    this.#options = options;
    const { names } = options;
    const { schema } = names;
    // The two halves of the id of a lock are in two columns.
    this.#holders = {
      text: `
select distinct pid from pg_locks where locktype = 'advisory' and objsubid = 1 and granted
  and database = (select oid from pg_database where datname = current_database())
  and (classid::bigint << 32 | objid::bigint) = any (array(select ${names.lock("key")} from unnest($1::text[]) as key))`,
    };
    this.#call = {
      name: "ojm commit",
      text: `call ${schema}.commit($1::int, $2::int, $3::int, $4::int, $5::int[], $6::text[], $7::int[], $8::bigint[], $9::text[], $10::float8[])`,
    };
  }

  commit(commit: Commit, options: CallOptions = {}): Promise<CommitOutcome> {
    const { clock, deadline } = this.#options.database;
    const part = new Part(commit, clock.monotonic() + deadline, options);
    if (part.isOver) return part.outcome;
    this.#waiting.push(part);
    if (!this.#isDue) {
      this.#isDue = true;
      // Wait no longer: this runs after the microtasks of the turn, before any timer or other socket.
      process.nextTick(() => {
        this.#isDue = false;
        this.#send();
      });
    }
    return part.outcome;
  }

  #send(): void {
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
    this.#calls++;
    for (const part of parts) part.isSent = true;
    const sent: Part[] = [];
    try {
      const reply = await this.#request(parts, sent);
      this.#options.onLayout();
      for (const [i, part] of sent.entries()) part.answer(outcomeOf(part, reply, i));
    } catch (error) {
      if (codeOf(error) !== LOCKED) this.#fail(parts, error, sent.length > 0);
      else if (parts.some(({ isAlone }) => isAlone)) this.#fail(parts, await this.#withHolders(error, parts), false);
      else this.#separate(sent);
    } finally {
      this.#calls--;
      this.#send();
    }
  }

  #separate(parts: readonly Part[]): void {
    for (const part of parts) Object.assign(part, { isAlone: true, isSent: false });
    this.#waiting.unshift(...parts);
  }

  /** `sent`: gets the parts that the server got. */
  async #request(parts: readonly Part[], sent: Part[]): Promise<Reply> {
    const { database } = this.#options;
    const end = Math.min(...parts.map((part) => part.end));
    // The parts may be aborted during the wait for a connection.
    const values: unknown[] = [];
    const onSent = (): void => {
      for (const part of parts) if (!part.isOver) sent.push(part);
      // The server gives up first: then the commit was certainly not applied.
      const longest = Math.max(1, Math.ceil((end - database.clock.monotonic()) * 0.8));
      const patience = sent.some(({ isAlone }) => isAlone) ? longest : Math.min(FIRST_PATIENCE, longest);
      values.push(LAYOUT, patience, longest, sent.length, ...columnsOf(sent));
    };
    const [row] = await database.query<{ readonly result: string | null }>(this.#call, values, { onSent, end });
    if (typeof row?.result === "string") return JSON.parse(row.result) as Reply;
    throw new ChannelError("FAILED", `${database.where} answered a commit with something else`);
  }

  /** Adds to the error of commits that waited too long the processes of the server that hold a key. */
  async #withHolders(error: unknown, parts: readonly Part[]): Promise<unknown> {
    const { database } = this.#options;
    const keys = parts.flatMap(({ ops }) => ops.map(({ key }) => key));
    const end = Math.min(...parts.map((part) => part.end));
    const rows = await database.query<{ readonly pid: number }>(this.#holders, [keys], { end }).catch(() => []);
    if (rows.length === 0) return error;
    const { code, message, retryable, cause } = explain(error, database.where, true);
    const pids = rows.map(({ pid }) => pid).join(", ");
    return new ChannelError(code, `${message}. Of the server, these processes hold a key: ${pids}`, {
      retryable,
      cause,
    });
  }

  #fail(parts: readonly Part[], error: unknown, sent: boolean): void {
    const { database, onLayout } = this.#options;
    let explained = explain(error, database.where, sent);
    if (codeOf(error) === NEWER_LAYOUT) {
      explained = newerLayout(Number((error as Error).message), this.#options);
      onLayout(explained);
    }
    for (const part of parts) part.fail(explained);
  }
}

/** The error for a schema of a newer layout. */
function newerLayout(found: number, { database, names }: Pick<CommitsOptions, "database" | "names">): ChannelError {
  try {
    refuseNewerLayout(found, layoutOf(database.where, names));
  } catch (error) {
    return error as ChannelError;
  }
  return new ChannelError("CORRUPT", `${database.where}: ${found} is not a layout of the schema ${names.schema}`);
}

/** The columns of the ops, as the parameters. */
function columnsOf(parts: readonly Part[]): unknown[][] {
  const rows = parts.flatMap(({ ops }, part) => ops.map((op) => ({ part, ...op })));
  return [
    rows.map(({ part }) => part),
    rows.map(({ key }) => key),
    rows.map(({ kind }) => kind),
    rows.map(({ version }) => version),
    rows.map(({ value }) => value),
    rows.map(({ ttl }) => ttl),
  ];
}

function outcomeOf({ commit }: Part, { versions, lost }: Reply, part: number): CommitOutcome {
  const version = versions[part];
  if (typeof version === "string") return { ok: true, version };
  const present = new Map<string, StoredEntry>();
  for (const [of, key, value, version, expiresIn] of lost ?? [])
    if (of === part) present.set(key, { key, value, version, ...(expiresIn === null ? {} : { expiresIn }) });
  return { ok: false, current: commit.checks.map(({ key }) => present.get(key)) };
}
