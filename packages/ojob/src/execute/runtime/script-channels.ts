import { hostname } from "node:os";
import { isDeepStrictEqual } from "node:util";
import {
  type Channel,
  type ChannelConfig,
  type Clock,
  type JsonValue,
  type Key,
  openChannel,
  type RunRecord,
} from "@ojm/core";
import { nearest } from "@ojm/core/internal";
import type { PrepareType } from "../../plan/manager/channels.js";
import { LOCKS } from "../../plan/manager/manager-args.js";
import { JobError } from "./job-error.js";
import type { Managers } from "./managers.js";
import { closeAll } from "./settle.js";

const JOBS = "oJobManager-jobs";

type Verb = (channel: Channel, parameters: readonly unknown[]) => Promise<unknown>;

// The casts pass on the values of the script: the channel itself rejects a wrong key or value and names it.
const VERBS: Readonly<Record<string, Verb>> = {
  get,
  set,
  unset: (channel, [key]) => channel.unset(keyOf(key)),
  getAll: (channel) => channel.getAll(),
  getKeys: (channel) => channel.getKeys(),
  getSortedKeys: (channel) => channel.getSortedKeys(),
  async getSet(channel, [match, key, value]) {
    const outcome = await channel.getSet(match as object as never, keyOf(key), stored(key, value));
    return outcome.ok ? keyOf(key) : undefined;
  },
  setAll: (channel, [fields, values]) => channel.setAll(fields as string[], values as JsonValue[]),
  unsetAll: (channel, [fields, values]) => channel.unsetAll(fields as string[], values as JsonValue[]),
  compareAndSet: (channel, [key, version, value]) =>
    channel.compareAndSet(keyOf(key), version as string | null, stored(key, value)),
  size: (channel) => channel.size(),
  push: set,
  shift: (channel) => channel.shift(),
  pop: (channel) => channel.pop(),
  entries: (channel) => collect(channel.entries()),
};

type Scalar = string | number | boolean;

function isScalar(value: unknown): value is Scalar {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

/** A key of a script. As in OpenAF, `"url"` is `{ key: "url" }`: both name the same entry. */
function keyOf(key: unknown): Key {
  return isScalar(key) ? { key } : (key as Key);
}

/** The value that a script stores. As in OpenAF, one that is not a map or list becomes `{ key, value }`. */
function stored(key: unknown, value: unknown): JsonValue {
  return isScalar(value) ? { key: key as JsonValue, value } : (value as JsonValue);
}

/** Also finds entries under plain keys: programs in TypeScript use keys and values of any type. */
async function get(channel: Channel, [key]: readonly unknown[]): Promise<unknown> {
  const found = await channel.get(keyOf(key));
  const plain = plainKey(key);
  return stored(key, found !== undefined || !isScalar(plain) ? found : await channel.get(plain));
}

async function set(channel: Channel, [key, value]: readonly unknown[]): Promise<Key> {
  await channel.set(keyOf(key), stored(key, value));
  return keyOf(key);
}

/** The key that a script may have written: `"url"` for `{ key: "url" }`. */
function plainKey(key: unknown): unknown {
  if (!isMapOf(key, "key")) return key;
  const { key: plain } = key as { readonly key: unknown };
  return isScalar(plain) ? plain : key;
}

function isMapOf(value: unknown, fields: string): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && Object.keys(value).sort().join() === fields;
}

/** A change as the script wrote it, as in OpenAF: `{ key: "a" }` is `"a"`, and its value is `value`. */
export function asWritten<C extends { readonly k: unknown; readonly v?: unknown }>(change: C): C {
  const { v } = change;
  const k = plainKey(change.k);
  const isPlain = isMapOf(v, "key,value") && isScalar(v["value"]) && isDeepStrictEqual(v["key"], k);
  return { ...change, k, ...(isPlain && { v: v["value"] }) };
}

type DatedRecord = Omit<RunRecord, "startDate" | "endDate"> & { readonly startDate: Date; readonly endDate?: Date };

/** As in OpenAF, a record has dates, and its `inError` is false until its run has ended. */
function dated(record: RunRecord): DatedRecord {
  const { startDate, endDate, inError = false, ...rest } = record;
  const end = endDate === undefined ? {} : { endDate: new Date(endDate) };
  return { ...rest, startDate: new Date(startDate), ...end, inError };
}

/** A value of the channel of the records, in which scripts may store other entries too. */
function datedIfRecord(value: unknown): unknown {
  const { startDate, startTime, status } = (value ?? {}) as Partial<RunRecord>;
  const isRecord = typeof startTime === "number" && typeof startDate === "string" && typeof status === "string";
  return isRecord ? dated(value as RunRecord) : value;
}

function recordKey({ name, startTime }: DatedRecord): Key {
  return { name, startTime };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

export class ScriptChannels {
  readonly #managers: Managers;
  readonly #prepare: PrepareType;
  readonly #clock: Clock;
  readonly #open = new Map<string, Promise<Channel>>();
  readonly #configs = new Map<string, ChannelConfig>();

  constructor(managers: Managers, prepare: PrepareType, clock: Clock) {
    this.#managers = managers;
    this.#prepare = prepare;
    this.#clock = clock;
  }

  /** Performs `$ch(name).verb(…)`. */
  async call(name: string, verb: string, parameters: readonly unknown[]): Promise<unknown> {
    if (verb === "create") return this.#create(name, parameters);
    if (verb === "destroy") return this.#destroy(name);
    // Newest first: a script that looks for the current run of a job takes the first one that it finds.
    if (name === JOBS && verb === "getAll") return this.#history();
    if (name === JOBS && verb === "getKeys") return (await this.#history()).map(recordKey);
    if (name === JOBS && verb === "entries") {
      return (await this.#history()).map((record) => ({ key: recordKey(record), value: record }));
    }
    if (name === LOCKS && verb === "get" && isMapOf(parameters[0], "lock"))
      return this.lock(String(parameters[0]["lock"]));
    const run = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
    if (run === undefined) throw new JobError(`a channel has no ${verb}()`);
    const result = await run(await this.channel(name), parameters);
    return name === JOBS ? datedIfRecord(result) : result;
  }

  /** A lock as OpenAF shows it: `timeout` is the latest time of its end, in ms since 1970. */
  async lock(name: string): Promise<{ lock: string; value: boolean; timeout?: number; extra?: unknown }> {
    const found = await (await this.#managers.get()).channels.locks.get(["lock", name]);
    const { holder, since, timeout } = (found ?? {}) as Partial<{ holder: unknown; since: number; timeout: number }>;
    if (holder === undefined) return { lock: name, value: false };
    return { lock: name, value: true, timeout: Number(since) + Number(timeout), extra: holder };
  }

  async openRuns(): Promise<Record<string, number>> {
    const runs = await (await this.#managers.get()).openRecords();
    const own = runs.filter(({ holder }) => holder.pid === process.pid && holder.host === hostname());
    return Object.fromEntries(own.map(({ name, startTime }) => [name, startTime]));
  }

  async close(): Promise<void> {
    await closeAll(this.#open.values());
  }

  /** All records, including those that a script wrote: the manager's history lacks these. */
  async #history(): Promise<DatedRecord[]> {
    const manager = await this.#managers.get();
    const names = new Set<string>();
    for await (const { key } of manager.channels.jobs.keys()) {
      const { name } = key as { readonly name?: unknown };
      if (typeof name === "string") names.add(name);
    }
    const records: RunRecord[] = [];
    for (const name of names) records.push(...(await collect(manager.history({ name }))));
    return records.sort((a, b) => b.startTime - a.startTime).map(dated);
  }

  async channel(name: string): Promise<Channel> {
    // To a script, a record is a map like any other.
    if (name === JOBS) return (await this.#managers.get()).channels.jobs as unknown as Channel;
    if (name === LOCKS) return (await this.#managers.get()).channels.locks as unknown as Channel;
    const opening = this.#open.get(name);
    if (opening !== undefined) return opening;
    const near = nearest(name, [JOBS, LOCKS, ...this.#open.keys()]);
    const hint =
      near === undefined ? `Create it first: $ch(${JSON.stringify(name)}).create("simple")` : `Did you mean "${near}"?`;
    throw new JobError(`there is no channel "${name}". ${hint}`);
  }

  /** Opens a channel unless a script or the file has. `config`: where; by default, in memory. */
  async ensure(name: string, { type = "simple", args = {} }: ChannelConfig = {}): Promise<void> {
    if (!this.#open.has(name)) await this.#create(name, [type, args]);
  }

  /** The type and the args of an open channel. */
  configOf(name: string): ChannelConfig | undefined {
    return this.#configs.get(name);
  }

  async #create(name: string, given: readonly unknown[]): Promise<void> {
    // In OpenAF, the first parameter says whether the channel is compressed.
    const [type = "simple", args = {}] = ["number", "boolean", "undefined"].includes(typeof given[0])
      ? given.slice(1)
      : given;
    if (name === JOBS || name === LOCKS) throw new JobError(`the channel "${name}" is created by oJobManager Init`);
    if (typeof type !== "string")
      throw new JobError('create takes the type of the channel and its args: create("simple", {})');
    // A second create of the same name, by another job, gets the open channel.
    const opening = this.#open.get(name) ?? this.#openChannel(name, type, args as Record<string, unknown>);
    this.#open.set(name, opening);
    if (!this.#configs.has(name)) this.#configs.set(name, { type, args: args as Record<string, unknown> });
    opening.catch(() => {
      this.#open.delete(name);
      this.#configs.delete(name);
    });
    await opening;
  }

  async #openChannel(name: string, type: string, args: Record<string, unknown>): Promise<Channel> {
    await this.#prepare(type);
    return openChannel(name, { type, args, clock: this.#clock });
  }

  async #destroy(name: string): Promise<void> {
    const channel = await this.channel(name);
    await channel.destroy();
    this.#open.delete(name);
    this.#configs.delete(name);
  }
}
