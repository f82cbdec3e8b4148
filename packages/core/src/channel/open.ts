import { type Clock, systemClock } from "../util/clock.js";
import type { Backend, BackendType } from "./backend/backend.js";
import { channelErrorOf, withChannelErrors } from "./backend/driver-errors.js";
import { findType, nameFromAnywhere, recognise } from "./backend/find-type.js";
import { Store } from "./backend/store.js";
import { Channel } from "./channel.js";
import type { JsonValue } from "./encoding/json.js";
import { Scope } from "./encoding/scope.js";
import { ChannelError } from "./errors.js";
import { parseStore } from "./store-text.js";
import type { ChannelLocator, OpenOptions } from "./types.js";

/**
 * Opens the channel `name` in a store. The second argument is the options of the store, or its text such as
 * `sqlite:FILE`. Default: in memory.
 *
 * Channels with the same type and equal args share one connection.
 *
 * @throws ChannelError `UNKNOWN_TYPE` if no such backend is installed (the message says what to install),
 * `INVALID_CONFIG` for a wrong option, and any error that keeps the store from opening
 * @example
 * const channel = await openChannel("jobs", { type: "redis", args: { url: "redis://localhost" } });
 * const other = await openChannel("other", "sqlite:./data/ojm.db");
 */
export async function openChannel<V = JsonValue>(
  name: string,
  given: (OpenOptions & { readonly clock?: Clock }) | string = {},
): Promise<Channel<V>> {
  const scope = new Scope(name);
  const options: OpenOptions & { readonly clock?: Clock } = typeof given === "string" ? parseStore(given).store : given;
  const clock = options.clock ?? systemClock;
  const { backend } = options;
  if (backend !== undefined && "commit" in backend) return new Channel<V>(name, lentStore(backend), scope, clock);
  const type = backend ?? (await findType(options.type ?? "simple"));
  if (backend !== undefined) await recognise(backend);
  const store = await sharedStore(type, checkedArgs(options.args ?? {}), clock);
  return new Channel<V>(name, store, scope, clock);
}

function checkedArgs(args: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (typeof args === "object" && !Array.isArray(args)) return args;
  throw new ChannelError("INVALID_CONFIG", "the args of a channel must be a map of the options of its type");
}

const lent: WeakMap<Backend, Store> = new WeakMap();

/** The store of a backend that the caller opened and will close. */
function lentStore(backend: Backend): Store {
  const known = lent.get(backend);
  if (known?.join() === true) return known;
  const store = new Store(withChannelErrors(backend), async () => {});
  store.join();
  lent.set(backend, store);
  return store;
}

const open: Map<BackendType, Map<string, Promise<Store>>> = new Map();

/** One store for the same type and equal args, so that one commit can write to two channels. */
async function sharedStore(type: BackendType, args: Readonly<Record<string, unknown>>, clock: Clock): Promise<Store> {
  const stores = open.get(type) ?? new Map<string, Promise<Store>>();
  open.set(type, stores);
  const id = storeId(args, clock);
  for (;;) {
    const store = await (stores.get(id) ?? openStore(type, args, clock, stores, id));
    if (store.join()) return store;
    // The last user just left. Many stores cannot be opened again before they are closed.
    await store.closed;
  }
}

function openStore(
  type: BackendType,
  args: Readonly<Record<string, unknown>>,
  clock: Clock,
  stores: Map<string, Promise<Store>>,
  id: string,
): Promise<Store> {
  const forget = (): void => void stores.delete(id);
  const opening = type
    .open(args, { clock })
    .catch((error: unknown) => {
      throw channelErrorOf(error, "not-applied");
    })
    .then(withChannelErrors)
    .then((backend) => new Store(backend, () => backend.close().finally(forget), locatorOf(type, args)));
  stores.set(id, opening);
  // The next caller opens it again: a server that is down now may be up then.
  opening.catch(forget);
  return opening;
}

function locatorOf(
  type: BackendType,
  args: Readonly<Record<string, unknown>>,
): Omit<ChannelLocator, "name"> | undefined {
  const name = nameFromAnywhere(type);
  return name !== undefined && isData(args) ? { type: name, kind: type.type, args } : undefined;
}

const identities: WeakMap<object, number> = new WeakMap();
let lastIdentity = 0;

function identity(value: object): number {
  const known = identities.get(value) ?? ++lastIdentity;
  identities.set(value, known);
  return known;
}

/** Equal for equal args. Clients, clocks and other objects must be the same object to count as equal. */
function storeId(args: Readonly<Record<string, unknown>>, clock: Clock): string {
  const text = JSON.stringify(args, (_key, value: unknown) => {
    if (typeof value === "function") return { identity: identity(value) };
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    if (Object.getPrototypeOf(value) !== Object.prototype) return { identity: identity(value) };
    const map = value as Record<string, unknown>;
    return Object.fromEntries(
      Object.keys(map)
        .sort()
        .map((key) => [key, map[key]]),
    );
  });
  return `${identity(clock)} ${text}`;
}

interface ReadableChannel {
  keys(options: { readonly limit: number; readonly signal: AbortSignal }): AsyncIterable<unknown>;
}

/**
 * Whether all channels answer a small read before `signal` is aborted. Use it in a readiness check.
 *
 * @example
 * const { jobs, locks } = manager.channels;
 * const isReady = await channelsAnswer([locks, jobs], AbortSignal.timeout(2_000));
 */
export async function channelsAnswer(channels: readonly ReadableChannel[], signal: AbortSignal): Promise<boolean> {
  return (await channelsProblem(channels, signal)) === undefined;
}

/** The error of a small read from these channels; `undefined` if all answer before `signal` is aborted. */
export async function channelsProblem(channels: readonly ReadableChannel[], signal: AbortSignal): Promise<unknown> {
  try {
    for (const channel of channels) for await (const _ of channel.keys({ limit: 1, signal })) break;
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Whether a value is plain data at every depth, without objects such as clients. Bytes are data. */
export function isData(value: unknown): boolean {
  if (value === null || ["string", "number", "boolean", "bigint", "undefined"].includes(typeof value)) return true;
  if (typeof value !== "object") return false;
  if (ArrayBuffer.isView(value)) return true;
  if (Array.isArray(value)) return value.every(isData);
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && Object.values(value).every(isData);
}
