import type { Channel } from "../channel/channel.js";
import { encodeChannelName, encodeKey } from "../channel/encoding/key.js";
import { ChannelError } from "../channel/errors.js";
import { openChannel } from "../channel/open.js";
import type { OpenOptions, Version } from "../channel/types.js";
import { type LocksValue, lockKey } from "../locks/entries/schema.js";
import type { TurnValue } from "../locks/sweep/turn.js";
import { type Clock, systemClock } from "../util/clock.js";
import { checkFormat, raiseFormat } from "./format.js";
import type { CheckedManagerOptions } from "./options.js";
import type { TimeIndexValue } from "./records/time-index.js";
import type { RunRecord } from "./types.js";

export const JOBS = "oJobManager-jobs";
export const LOCKS = "oJobManager-locks";

/** The key under which a store has the lock of a job, for a backend that checks fences in the store. */
export function storedLockKey(name: string): string {
  return encodeChannelName(LOCKS) + encodeKey(lockKey(name));
}

/**
 * The turns of managers that look after the records. They are in the store of the records, because managers
 * with the same locks may have their records in different stores. They have their own channel, so that
 * readers of the jobs channel find only records.
 */
export const TURNS = "oJobManager-turns";

/** The records by their start time; see TimeIndex. Its own channel for the same reason. */
export const TIMES = "oJobManager-times";

/** The findings of the last check for orphans, with which the next one starts. Times in ms since 1970. */
export interface SeenValue {
  /** The start of the check. It saw all records that were written before {@link SeenValue.version}. */
  readonly until: number;
  readonly version: Version;
  /** The start of the last check of all records. */
  readonly full: number;
  /** The open runs, as `[startTime, name]`. Each had its lock. */
  readonly open: readonly (readonly [number, string])[];
  /** When the next check is due. */
  readonly due: number;
}

/** The channels of the records, in the store that `chJobs` names. */
export interface Records {
  readonly jobs: Channel<RunRecord>;
  readonly turns: Channel<TurnValue | SeenValue | number>;
  readonly times: Channel<TimeIndexValue>;
}

/** The channels of a manager. */
export interface Channels extends Records {
  readonly locks: Channel<LocksValue>;
  readonly more: MoreChannels;
  /** Keeps older versions of ojm out of the stores: see {@link raiseFormat}. Does so once. */
  raiseFormat(): Promise<void>;
}

/** The channels that the program requested, in the store of the locks. Each is opened once. */
export class MoreChannels {
  readonly #options: OpenOptions;
  readonly #opened: Map<string, Promise<Channel<unknown>>> = new Map();
  #closed = false;

  constructor(options: OpenOptions) {
    this.#options = options;
  }

  open(name: string): Promise<Channel<unknown>> {
    if (this.#closed) return Promise.reject(new ChannelError("CLOSED", "this manager is closed"));
    const known = this.#opened.get(name);
    if (known !== undefined) return known;
    const opening = openChannel<unknown>(name, this.#options);
    this.#opened.set(name, opening);
    // A store that was away may be back for the next call.
    opening.catch(() => this.#opened.delete(name));
    return opening;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const opening of this.#opened.values()) await (await opening.catch(() => undefined))?.close();
  }
}

/** Opens the channels of the records, or none. */
export async function openRecords(config: OpenOptions, clock: Clock = systemClock): Promise<Records> {
  const opened: { close(): Promise<void> }[] = [];
  const open = async <V>(name: string): Promise<Channel<V>> => {
    const channel = await openChannel<V>(name, { ...config, clock });
    opened.unshift(channel);
    return channel;
  };
  try {
    return { jobs: await open(JOBS), turns: await open(TURNS), times: await open(TIMES) };
  } catch (error) {
    for (const channel of opened) await channel.close();
    throw error;
  }
}

/**
 * Opens all channels of a manager, or none.
 *
 * @throws ChannelError `INVALID_CONFIG` if a store needs a later version of ojm; any error of opening
 */
export async function openChannels(
  options: Pick<CheckedManagerOptions, "chJobs" | "chLocks" | "clock">,
): Promise<Channels> {
  const { clock = systemClock, chJobs = {}, chLocks = {} } = options;
  const records = await openRecords(chJobs, clock);
  let locks: Channel<LocksValue> | undefined;
  try {
    const config = { ...chLocks, clock };
    locks = await openChannel<LocksValue>(LOCKS, config);
    const isOne = records.jobs.joins(locks as Channel<unknown>);
    await checkFormat(config, clock, isOne ? "the store" : "the store of the locks");
    if (!isOne) await checkFormat(chJobs, clock, "the store of the records");
    let raised: Promise<unknown> | undefined;
    const raise = async (): Promise<void> => {
      raised ??= Promise.all((isOne ? [config] : [config, chJobs]).map((store) => raiseFormat(store, clock)));
      await raised.catch((error: unknown) => {
        raised = undefined;
        throw error;
      });
    };
    return { ...records, locks, more: new MoreChannels(config), raiseFormat: raise };
  } catch (error) {
    await locks?.close();
    await closeRecords(records);
    throw error;
  }
}

export async function closeRecords({ jobs, turns, times }: Records): Promise<void> {
  for (const channel of [times, turns, jobs]) await channel.close();
}

export async function closeChannels({ locks, more, ...records }: Channels): Promise<void> {
  await more.close();
  await locks.close();
  await closeRecords(records);
}
