import type { LogBudget, Supports } from "../../channel/backend/backend.js";
import { unknownOption } from "../../channel/backend/config.js";
import type { Channel, ChannelOps } from "../../channel/channel.js";
import { ChannelError, isChannelError } from "../../channel/errors.js";
import { openChannel } from "../../channel/open.js";
import type { CallOptions, Key, OpenOptions } from "../../channel/types.js";
import type { Clock } from "../../util/clock.js";
import { ABOVE_ZERO, checkedDuration, type Duration, type InMs } from "../../util/duration.js";
import { atMost } from "../../util/event-loop.js";
import { EventChannel } from "../../util/events.js";
import { fieldsOf, isSpan } from "../../util/shape.js";
import { LINES, visible } from "../../util/text.js";
import { emitWarning } from "../../util/warning.js";
import { checkFormat } from "../format.js";
import { type RunRef, runId } from "../run-id.js";
import { type LogsValue, runOfKey } from "./chunk.js";
import type { LogAmount, LogDroppedEvent } from "./types.js";

export const LOGS = "oJobManager-logs";

/** The size of a chunk in bytes, and the longest wait of a line in ms, before the store is known. */
const FIRST_CHUNK = 32 * 1_024;
const FIRST_INTERVAL = 250;

/** How many bytes of full chunks may wait in memory, for all logs of a manager together. */
const MOST_WAITING = 32 * 1_024 * 1_024;

/** How long the close of a manager waits for the last lines of logs, in ms. */
const CLOSE_WAIT = 2_000;

const logDropped: EventChannel<LogDroppedEvent> = new EventChannel("ojm:log:dropped");

/** The store of the logs, open. */
export interface LogStore {
  readonly channel: Channel<LogsValue>;
  readonly budget: LogBudget;
}

/** A writer that may still write after the end of its run. */
export interface LateWriter {
  /** Resolves once it has written everything, or once the run is over and the latest write has failed. */
  readonly soon: Promise<void>;
  giveUp(): void;
}

/** The channel of the logs of a manager. It is opened with the first line: most runs have no log. */
export class Logs {
  readonly clock: Clock;
  readonly room: { used: number; readonly most: number } = { used: 0, most: MOST_WAITING };
  readonly #config: OpenOptions;
  readonly #isApart: boolean;
  readonly #own: InMs<LogBudgetOptions> | undefined;
  readonly #late: Set<LateWriter> = new Set();
  #opening: Promise<LogStore> | undefined;
  #opened: LogStore | undefined;
  #warned = false;
  #closed = false;

  /** `isApart`: the store of the logs is not that of the records, whose format is checked already. */
  constructor(config: OpenOptions, isApart: boolean, clock: Clock, own?: InMs<LogBudgetOptions>) {
    this.clock = clock;
    this.#config = config;
    this.#isApart = isApart;
    this.#own = own;
  }

  /** The size of chunks, as far as it is known. */
  get chunk(): number {
    return this.#opened?.budget.chunk ?? this.#own?.chunk ?? FIRST_CHUNK;
  }

  /** How long lines wait, as far as it is known. */
  get interval(): number {
    return this.#opened?.budget.interval ?? this.#own?.interval ?? FIRST_INTERVAL;
  }

  get opened(): LogStore | undefined {
    return this.#opened;
  }

  /** Opens the store, once. After a failure, the next call tries again. */
  open(): Promise<LogStore> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #open(): Promise<LogStore> {
    if (this.#isApart) await checkFormat(this.#config, this.clock, "the store of the logs");
    const channel = await openChannel<LogsValue>(LOGS, { ...this.#config, clock: this.clock });
    if (this.#closed) await channel.close();
    this.#opened = { channel, budget: budgetOf(channel.supports, this.#own) };
    return this.#opened;
  }

  /** Remembers a writer whose run is over, until it has written everything. */
  addLate(writer: LateWriter): void {
    this.#late.add(writer);
  }

  removeLate(writer: LateWriter): void {
    this.#late.delete(writer);
  }

  dropped(run: RunRef, { lines, bytes }: LogAmount): void {
    logDropped.publish(() => ({ id: runId(run), lines, bytes }));
  }

  /** Warns once of a permanent error. A store that is away comes back. */
  failed(error: unknown): void {
    if (this.#warned || (isChannelError(error) && (error.retryable || error.code === "CLOSED"))) return;
    this.#warned = true;
    const why = error instanceof Error ? error.message : String(error);
    const text = `the logs of runs cannot be written: ${visible(why, LINES)}`;
    emitWarning("OJM_LOG", text);
  }

  /** Waits briefly for the last lines, unless the store is away. Then closes the channel. */
  async close(): Promise<void> {
    await atMost(this.clock, CLOSE_WAIT, Promise.all([...this.#late].map(({ soon }) => soon)));
    this.#closed = true;
    for (const writer of [...this.#late]) writer.giveUp();
    await this.#opened?.channel.close();
  }
}

const FIELDS = ["head", "tail", "chunk", "interval", "ttl", "completed"];

const KIB = 1_024;
const MIB = 1_024 * KIB;
const DAY = 86_400_000;

/** The memory of a process that never prunes must not fill up with logs. */
const MEMORY: LogBudget = {
  head: 128 * KIB,
  tail: 384 * KIB,
  chunk: 64 * KIB,
  interval: 250,
  ttl: DAY / 4,
  completed: true,
};

const DISK: LogBudget = { ...MEMORY, head: MIB, tail: 3 * MIB, ttl: 14 * DAY };

/** A server stores the logs of many machines, often in its memory. */
const NETWORK: LogBudget = { ...MEMORY, head: 256 * KIB, tail: 768 * KIB, ttl: 7 * DAY };

/** How many times larger a chunk may become as JSON: a control character takes six bytes. */
const JSON_GROWTH = 6;

/** How much of a run's log is kept: the differences from the {@link LogBudget} of the store. */
export type LogBudgetOptions = Partial<
  Omit<LogBudget, "interval" | "ttl"> & { readonly [K in "interval" | "ttl"]: Duration }
>;

/**
 * Checks a budget, and resolves its durations to ms.
 *
 * @throws ChannelError `INVALID_CONFIG`
 */
export function checkLogBudget(budget: unknown): InMs<LogBudgetOptions> {
  const fields = fieldsOf<LogBudget>(budget);
  if (fields === undefined) throw invalid(`logBudget must be a map, not ${String(budget)}`);
  const problem = unknownOption('"logBudget" of a job manager', fields, FIELDS);
  if (problem !== undefined) throw invalid(problem);
  const { completed, interval, ttl, ...numbers } = fields;
  if (completed !== undefined && typeof completed !== "boolean")
    throw invalid("logBudget.completed must be true or false");
  for (const [name, value] of Object.entries(numbers)) {
    if (value === undefined || (isSpan(value) && value > 0)) continue;
    throw invalid(`logBudget.${name} must be a number above 0, not ${String(value)}`);
  }
  const durations = Object.entries({ interval, ttl }).filter(([, value]) => value !== undefined);
  const inMs = durations.map(([name, value]) => [
    name,
    checkedDuration(`logBudget.${name}`, value, refuse, ABOVE_ZERO),
  ]);
  return { ...(budget as LogBudgetOptions), ...Object.fromEntries(inMs) };
}

const invalid = (what: string): ChannelError => new ChannelError("INVALID_CONFIG", what);

const refuse = (what: string): never => {
  throw invalid(what);
};

/** How much of a run's log a store keeps: as set by `own`, else by its backend, else by its kind. */
export function budgetOf(supports: Supports, own: InMs<LogBudgetOptions> = {}): LogBudget {
  const { ttl, ...budget } = { ...kindOf(supports), ...supports.logs, ...own };
  const chunk = Math.min(budget.chunk, Math.floor(supports.maxValueBytes / JSON_GROWTH));
  return { ...budget, chunk, ...(supports.ttl && ttl !== undefined && { ttl }) };
}

function kindOf({ shared, durability }: Supports): LogBudget {
  if (shared === "network") return NETWORK;
  return durability === "none" ? MEMORY : DISK;
}

/** A value that sorts behind all numbers of chunks. */
const LAST = Number.MAX_VALUE;

/**
 * Deletes the logs of runs whose records are about to be deleted. If the last deletes fit into `room` ops, it
 * returns them instead, for the commit that deletes the records.
 *
 * Logs go first. After a crash in between, the record is still there, and the next prune continues.
 */
export async function pruneLogs(
  logs: Channel<LogsValue>,
  runs: readonly RunRef[],
  room: number,
  options: CallOptions,
): Promise<ChannelOps<unknown>[]> {
  const most = logs.supports.maxOps;
  let keys: Key[] = [];
  for await (const key of keysOf(logs, runs, options)) {
    keys.push(key);
    if (keys.length < most) continue;
    await logs.commit(deletesOf(keys), options);
    keys = [];
  }
  if (keys.length === 0) return [];
  if (keys.length <= room) return [{ channel: logs, ops: deletesOf(keys) } as ChannelOps<unknown>];
  await logs.commit(deletesOf(keys), options);
  return [];
}

const deletesOf = (keys: readonly Key[]): { readonly delete: Key }[] => keys.map((key) => ({ delete: key }));

/** The keys of the logs of these runs. Reads the logs of each name once. */
async function* keysOf(
  logs: Channel<LogsValue>,
  runs: readonly RunRef[],
  options: CallOptions,
): AsyncGenerator<Key, void, undefined> {
  // Most stores have few logs or none: do not read the keys of each name then.
  let isEmpty = true;
  for await (const _ of logs.keys({ limit: 1, ...options })) isEmpty = false;
  if (isEmpty) return;
  const byName = new Map<string, number[]>();
  for (const { name, startTime } of runs) byName.set(name, [...(byName.get(name) ?? []), startTime]);
  for (const [name, times] of byName) {
    const wanted = new Set(times);
    const range = { after: [name, Math.min(...times)], before: [name, Math.max(...times), LAST], ...options };
    for await (const { key } of logs.keys(range)) {
      const run = runOfKey(key);
      if (run !== undefined && wanted.has(run.startTime)) yield key;
    }
  }
}
