import { failedCheck } from "../../channel/calls.js";
import type { Channel, ChannelOps } from "../../channel/channel.js";
import { isCorrupt, readable } from "../../channel/corrupt.js";
import { type JsonValue, sameJson } from "../../channel/encoding/json.js";
import { compareVersions } from "../../channel/encoding/version.js";
import { isChannelError } from "../../channel/errors.js";
import type { CallOptions, CommitResult, Entry, Key, Op, Version } from "../../channel/types.js";
import { RunError } from "../../jobs/errors.js";
import {
  chunkKey,
  isChunk,
  isProgress,
  isProgressKey,
  type LogChunk,
  type LogsValue,
  logPrefix,
  progressKey,
  runOfKey,
  seqOf,
} from "../../jobs/logs/chunk.js";
import type { Progress } from "../../jobs/logs/types.js";
import { hasEnded, isRecord, recordsUnder } from "../../jobs/records/read.js";
import { recordKeyOf, toRecord } from "../../jobs/records/record.js";
import type { RunContext } from "../../jobs/run/context.js";
import { parseRunId, type RunRef, runId } from "../../jobs/run-id.js";
import type { RunRecord } from "../../jobs/types.js";
import { type ImportCount, ImportCounter } from "../../util/import-count.js";
import type { Items } from "../../util/iterate.js";
import { fieldsOf, isCount, isText, isTime } from "../../util/shape.js";
import { checkRange, selectRecords } from "../history.js";

/** Options of {@link JobManager.exported}. */
export interface ExportOptions extends CallOptions {
  /** Only the runs of this name. */
  readonly name?: string;
  /** Only runs that began, and actions, at this time or later, in ms since 1970. */
  readonly from?: number;
  /** Only those before this time, in ms since 1970. */
  readonly to?: number;
  /** Whether the logs of the runs are exported too. Default: true. */
  readonly logs?: boolean;
}

/** Some lines of the log of a run, as the store has them. */
export interface ExportedLog extends LogChunk {
  /** The id of the run. */
  readonly run: string;
  /** The number of this part among those of the run. */
  readonly part: number;
}

/** The latest progress of a run. */
export interface ExportedProgress extends Progress {
  /** The id of the run. */
  readonly run: string;
}

/** An action of an operator, as in the store. */
export interface ExportedAudit {
  readonly key: readonly (string | number | boolean)[];
  readonly value: { readonly [field: string]: JsonValue };
}

/** A run that is not exported, or whose mark is not. */
interface NotExported {
  /** The id of the run. */
  readonly run: string;
  readonly reason: string;
}

/** A part of {@link JobManager.exported}: plain JSON. The parts of a log follow the record of their run. */
export type Exported =
  | { readonly run: RunRecord }
  | { readonly log: ExportedLog }
  | { readonly progress: ExportedProgress }
  | { readonly audit: ExportedAudit }
  | { readonly leftOut: NotExported };

/** The kinds of parts that a manager exports, and counts when it imports them. */
export type ExportedKind = "runs" | "logs" | "audits";

/** The runs of a store, newest first, each with its log; then the audit. */
export async function* exportAll(context: RunContext, { logs = true, ...options }: ExportOptions): Items<Exported> {
  checkRange(options);
  const call = options.signal === undefined ? {} : { signal: options.signal };
  const channel = logs ? (await context.logs.open()).channel : undefined;
  const logged = channel && new LoggedRuns(channel, call);
  for await (const record of selectRecords(context, options)) {
    if (!hasEnded(record)) {
      yield { leftOut: { run: record.id, reason: "it is still running" } };
      continue;
    }
    yield { run: record };
    if (channel !== undefined && (await logged?.has(record))) yield* logOf(channel, record, call);
  }
  yield* auditsOf(context.lockChannel, options);
  yield* marksOf(context.lockChannel, options.name, call);
}

/** The marks that keep work from being done again, which another store does not get: a person must know. */
const MARKS: Readonly<Record<string, string>> = {
  done: "its key is done only in this store: in another one, it is done again",
  once: "only this store knows that it ran, for its tick or for a time: in another one, it may run again",
};

async function* marksOf(locks: Channel<unknown>, name: string | undefined, call: CallOptions): Items<Exported> {
  for (const [kind, reason] of Object.entries(MARKS)) {
    const prefix = name === undefined ? [kind] : [kind, name];
    for await (const { value } of readable(locks, { prefix, ...call })) {
      const { run } = fieldsOf<{ readonly run: string }>(value) ?? {};
      if (isText(run)) yield { leftOut: { run, reason } };
    }
  }
}

async function* logOf(
  logs: Channel<LogsValue>,
  { name, startTime, id }: RunRecord & RunRef,
  call: CallOptions,
): Items<Exported> {
  for await (const { key, value } of readable(logs, { prefix: logPrefix({ name, startTime }), ...call })) {
    const part = seqOf(key);
    if (part !== undefined && isChunk(value)) yield { log: { run: id, part, ...value } };
    else if (isProgressKey(key) && isProgress(value)) yield { progress: { run: id, ...value } };
  }
}

async function* auditsOf(locks: Channel<unknown>, { name, from, to, signal }: ExportOptions): Items<Exported> {
  const prefix = name === undefined ? ["audit"] : ["audit", name];
  for await (const { key, value } of readable(locks, { prefix, ...(signal && { signal }) })) {
    const audit = { key, value };
    if (!isAudit(audit)) continue;
    const [, , at] = audit.key;
    if (typeof at === "number" && (at < (from ?? at) || at >= (to ?? at + 1))) continue;
    yield { audit: { key: audit.key, value: audit.value } };
  }
}

/** Whether a value is an entry of the audit: its key is `["audit", NAME, TIME, …]`. */
function isAudit(audit: unknown): audit is ExportedAudit {
  const { key, value } = fieldsOf<ExportedAudit>(audit) ?? {};
  if (!Array.isArray(key) || fieldsOf(value) === undefined) return false;
  const [kind, name, at] = key as readonly unknown[];
  const isPlain = key.every((part) => ["string", "number", "boolean"].includes(typeof part));
  return isPlain && kind === "audit" && typeof name === "string" && isTime(at);
}

/** How many keys are read at once. */
const AT_ONCE = 200;

/** The runs of one name that have a log, as far as they were read. */
interface OfName {
  /** Their start times, the latest first. */
  times: number[];
  /** All from this start time on were read. */
  from: number;
}

/**
 * Which runs have a log. Query the latest run of each name first. Reads only keys, a page at a time: reading
 * the log of each run would cost a call for each.
 */
class LoggedRuns {
  readonly #logs: Channel<LogsValue>;
  readonly #options: CallOptions;
  readonly #names: Map<string, OfName> = new Map();

  constructor(logs: Channel<LogsValue>, options: CallOptions) {
    this.#logs = logs;
    this.#options = options;
  }

  async has({ name, startTime }: RunRef): Promise<boolean> {
    const known = this.#names.get(name) ?? { times: [], from: startTime + 1 };
    this.#names.set(name, known);
    while (startTime < known.from) await this.#readMore(name, known);
    known.times = known.times.filter((time) => time <= startTime);
    return known.times[0] === startTime;
  }

  async #readMore(name: string, known: OfName): Promise<void> {
    let count = 0;
    let last = known.from;
    const range = { prefix: [name], before: [name, known.from], reverse: true, limit: AT_ONCE, ...this.#options };
    for await (const { key } of this.#logs.keys(range)) {
      count++;
      const time = runOfKey(key)?.startTime;
      if (time === undefined || time === last) continue;
      last = time;
      known.times.push(time);
    }
    known.from = count < AT_ONCE ? Number.NEGATIVE_INFINITY : last;
  }
}

/** The number of parts, and of bytes, that are buffered in memory. */
const MOST_WAITING = 500;
const MOST_WAITING_BYTES = 1_024 * 1_024;

/** The most ops on the index of the commit that writes a record. */
const INDEX_OPS = 3;

const TAKEN = "the store has another one of the same id";

/** An imported run. `isOther`: the store has another run of its id; `undefined` until it was read. */
interface ImportedRun extends NewEntry {
  readonly id: string;
  readonly record: RunRecord;
  isOther?: boolean;
}

interface ImportedLog extends NewEntry {
  readonly run: ImportedRun;
}

/**
 * Imports the export of another store: see {@link JobManager.openImport}. Not for two callers at once.
 *
 * The parts of a log are written before the record of their run: a run that is in the store has its log.
 */
export class RunImport {
  readonly #context: RunContext;
  readonly #counters = { runs: new ImportCounter(), logs: new ImportCounter(), audits: new ImportCounter() };
  /** The run whose log is being read. */
  #current: ImportedRun | undefined;
  #runs: Map<string, ImportedRun> = new Map();
  #logs: ImportedLog[] = [];
  #audits: NewEntry[] = [];
  #bytes = 0;
  /** The highest fence of the runs that were added. */
  #highestFence: Version = "0";

  /** @internal */
  constructor(context: RunContext) {
    this.#context = context;
  }

  /** The counts so far. Buffered parts are not counted yet. */
  get counts(): { readonly [K in ExportedKind]: ImportCount } {
    return this.#counters;
  }

  /**
   * Adds a part, in the order in which it was exported. Writes the buffered parts from time to time.
   *
   * @throws RunError `INVALID` for a part that ojm did not export; ChannelError if the store fails
   */
  async add(part: Exported): Promise<void> {
    const { run, log, progress, audit, leftOut } = fieldsOf<Record<string, unknown>>(part) ?? {};
    if (run !== undefined) await this.#addRun(run);
    else if (log !== undefined) this.#addLog(log);
    else if (progress !== undefined) this.#addProgress(progress);
    else if (isAudit(audit)) this.#addAudit(audit);
    else if (leftOut === undefined) refuse("it is not part of an export");
    const waiting = this.#runs.size + this.#logs.length + this.#audits.length;
    if (waiting >= MOST_WAITING || this.#bytes >= MOST_WAITING_BYTES) await this.#write(this.#current);
  }

  /**
   * Writes all buffered parts. Call it after the last part.
   *
   * @throws ChannelError if the store fails
   */
  async flush(): Promise<void> {
    await this.#write(undefined);
    this.#current = undefined;
  }

  /**
   * The highest fence of the imported runs and the fence that a run here would get now, if that is lower;
   * else `undefined`. A system that has stored the fence of an imported run then rejects the runs of this
   * store, until its stored fence is reset. Call it after {@link RunImport.flush}.
   *
   * @throws ChannelError if the store fails
   */
  async lowerFences(): Promise<{ readonly imported: Version; readonly here: Version } | undefined> {
    // A commit that changes nothing, for its version.
    const outcome = await this.#context.lockChannel.commit([{ delete: ["import"] }]);
    if (!outcome.ok || compareVersions(outcome.version, this.#highestFence) >= 0) return undefined;
    return { imported: this.#highestFence, here: outcome.version };
  }

  async #addRun(run: unknown): Promise<void> {
    const { name, startTime, endTime, inError } = fieldsOf<RunRecord>(run) ?? {};
    this.#current = undefined;
    if (!isText(name) || name === "" || !isTime(startTime)) refuse("a run needs a name and a start time");
    const key = recordKeyOf({ name, startTime });
    if (!isRecord({ key, value: run })) refuse(`the record of ${runId({ name, startTime })} is damaged`);
    const record = run as RunRecord;
    // Without its lock, it would be closed as lost.
    if (!hasEnded(record)) return this.#counters.runs.leaveOut("it is still running");
    if (!isTime(endTime) || typeof inError !== "boolean") refuse(`the record of ${runId(record)} has no end time`);
    const { fence } = record;
    if (fence !== undefined && compareVersions(fence, this.#highestFence) > 0) this.#highestFence = fence;
    const id = runId(record);
    if (this.#runs.has(id)) await this.flush();
    this.#current = { id, record, key, value: record, bytes: sizeOf(record) };
    this.#runs.set(id, this.#current);
    this.#bytes += this.#current.bytes;
  }

  #addLog(log: unknown): void {
    const { run, part, ...chunk } = fieldsOf<ExportedLog>(log) ?? {};
    if (!isCount(part) || !isChunk(chunk)) refuse("a part of a log is damaged");
    this.#addEntry(run, (ref) => chunkKey(ref, part), chunk);
  }

  #addProgress(progress: unknown): void {
    const { run, ...value } = fieldsOf<ExportedProgress>(progress) ?? {};
    if (!isProgress(value)) refuse("the progress of a run is damaged");
    this.#addEntry(run, progressKey, value);
  }

  #addEntry(id: unknown, keyOf: (ref: RunRef) => Key, value: LogsValue): void {
    const ref = isText(id) ? parseRunId(id) : undefined;
    if (ref === undefined) refuse("a part of a log does not name its run");
    const run = this.#current;
    if (run?.id !== runId(ref)) refuse(`the log of ${runId(ref)} does not follow its run`);
    const bytes = sizeOf(value);
    this.#logs.push({ run, key: keyOf(ref), value, bytes });
    this.#bytes += bytes;
  }

  #addAudit({ key, value }: ExportedAudit): void {
    this.#current = undefined;
    const bytes = sizeOf(value);
    this.#audits.push({ key, value, bytes });
    this.#bytes += bytes;
  }

  /** Writes all buffered parts, except the record of a run whose log is not complete. */
  async #write(incomplete: ImportedRun | undefined): Promise<void> {
    const runs = [...this.#runs.values()];
    const [logs, audits] = [this.#logs, this.#audits];
    this.#runs = new Map();
    this.#logs = [];
    this.#audits = [];
    this.#bytes = 0;
    if (logs.length > 0) await this.#writeLogs(logs);
    await this.#writeRuns(runs.filter((run) => run !== incomplete));
    if (incomplete !== undefined && runs.includes(incomplete)) this.#runs.set(incomplete.id, incomplete);
    for (const put of await putAbsent(this.#context.lockChannel, audits)) count(this.#counters.audits, put);
  }

  /** Read the runs first: a part of a log must not get into that of another run. */
  async #writeLogs(all: readonly ImportedLog[]): Promise<void> {
    await this.#ask([...new Set(all.map(({ run }) => run))]);
    const { channel, budget } = await this.#context.logs.open();
    const others = all.filter(({ run }) => run.isOther === true);
    if (others.length > 0) this.#counters.logs.leaveOut(TAKEN, others.length);
    const own = all.filter(({ run }) => run.isOther !== true).map((log) => ({ ...log, ttl: budget.ttl }));
    for (const put of await putAbsent(channel as Channel<unknown>, own)) {
      // A part never changes once it is written.
      if (put.outcome === "taken") this.#counters.logs.present++;
      else count(this.#counters.logs, put);
    }
  }

  async #writeRuns(runs: readonly ImportedRun[]): Promise<void> {
    const { jobs, index } = this.#context;
    const more = ({ record }: ImportedRun): ChannelOps<unknown>[] => [
      ...index.add(record),
      ...index.addFailure(record),
    ];
    const puts = await putAbsent(jobs as Channel<unknown>, runs, more, INDEX_OPS);
    const recordIn = (entry: Entry<unknown>): unknown =>
      isRecord(entry) ? toRecord(entry as Entry<RunRecord>) : undefined;
    for (const put of puts) count(this.#counters.runs, put, recordIn);
  }

  /** Reads from the store which runs it has. */
  async #ask(runs: readonly ImportedRun[]): Promise<void> {
    const unknown = runs.filter(({ isOther }) => isOther === undefined);
    const keys = unknown.map(({ key }) => key);
    for (const [i, entry] of (await recordsUnder(this.#context.jobs, keys)).entries()) {
      const run = unknown[i];
      if (run !== undefined) run.isOther = entry !== undefined && !sameJson(toRecord(entry), run.record);
    }
  }
}

/** `asExported`: the entry of the store in the form of an export. */
function count<E extends NewEntry>(
  counter: ImportCounter,
  put: Put<E>,
  asExported: (entry: Entry<unknown>) => unknown = ({ value }) => value,
): void {
  if (put.outcome === "written") counter.imported++;
  else if (put.outcome === "too large") counter.leaveOut("it is too large for this store");
  else if (put.outcome === "corrupt") counter.leaveOut("the store has something under its key that ojm did not write");
  else if (put.current !== undefined && sameJson(asExported(put.current), put.entry.value)) counter.present++;
  else counter.leaveOut(TAKEN);
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function refuse(what: string): never {
  throw new RunError("INVALID", "", what);
}

/** The most bytes of the values of one commit: etcd accepts 1.5 MB. */
const MOST_COMMIT_BYTES = 512 * 1_024;

/** An entry to write if its key is free. */
interface NewEntry {
  readonly key: Key;
  readonly value: unknown;
  readonly bytes: number;
  readonly ttl?: number | undefined;
}

/** The outcome of an entry. `current`: the store has another one under its key. */
type Put<E> =
  | { readonly entry: E; readonly outcome: "written" | "too large" | "corrupt"; readonly current?: undefined }
  | { readonly entry: E; readonly outcome: "taken"; readonly current: Entry<unknown> | undefined };

/**
 * Writes entries under free keys, many in one commit. `more`: further ops for the commit that writes an
 * entry, `opsOfMore` at most.
 */
async function putAbsent<E extends NewEntry>(
  channel: Channel<unknown>,
  entries: readonly E[],
  more: (entry: E) => readonly ChannelOps<unknown>[] = () => [],
  opsOfMore = 0,
): Promise<Put<E>[]> {
  const most = Math.max(1, Math.floor(channel.supports.maxOps / (2 + opsOfMore)));
  const done: Put<E>[] = [];
  for (let from = 0; from < entries.length; ) {
    let bytes = 0;
    let to = from;
    while (
      to < entries.length &&
      to - from < most &&
      (to === from || bytes + (entries[to]?.bytes ?? 0) <= MOST_COMMIT_BYTES)
    )
      bytes += entries[to++]?.bytes ?? 0;
    done.push(...(await putBatch(channel, entries.slice(from, to), more)));
    from = to;
  }
  return done;
}

async function putBatch<E extends NewEntry>(
  channel: Channel<unknown>,
  entries: readonly E[],
  more: (entry: E) => readonly ChannelOps<unknown>[],
): Promise<Put<E>[]> {
  const done: Put<E>[] = [];
  let left = entries;
  while (left.length > 0) {
    let result: CommitResult<unknown>;
    try {
      result = await channel.commitWith<unknown[]>(left.flatMap(opsOf), left.flatMap(more));
    } catch (error) {
      const outcome = refusalOf(error);
      if (outcome === undefined) throw error;
      const [entry] = left;
      if (left.length === 1 && entry !== undefined) return [...done, { entry, outcome }];
      // One of them is at fault: halve until it is found.
      const middle = left.length >> 1;
      done.push(...(await putBatch(channel, left.slice(0, middle), more)));
      return [...done, ...(await putBatch(channel, left.slice(middle), more))];
    }
    if (result.ok) return [...done, ...left.map((entry) => ({ entry, outcome: "written" as const }))];
    const { failed } = result;
    const free: E[] = [];
    for (const entry of left) {
      const check = failedCheck(failed, entry.key);
      if (check === undefined) free.push(entry);
      else done.push({ entry, outcome: "taken", current: check.current });
    }
    left = free;
  }
  return done;
}

function opsOf({ key, value, ttl }: NewEntry): Op<unknown>[] {
  return [
    { check: key, version: null },
    { put: key, value, ...(ttl !== undefined && { ttl }) },
  ];
}

function refusalOf(error: unknown): "too large" | "corrupt" | undefined {
  if (isCorrupt(error)) return "corrupt";
  return isChannelError(error) && error.code === "TOO_LARGE" ? "too large" : undefined;
}
