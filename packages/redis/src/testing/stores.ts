import {
  type Backend,
  type Clock,
  type Commit,
  isChannelError,
  justAfter,
  type StoredChange,
  type StoredEntry,
  systemClock,
  type WatchSink,
} from "@ojm/core/backend";
import { onTestFinished } from "vitest";
import { backend } from "../index.js";

/** Opens a backend that is closed when the test is over. */
export async function open(args: Readonly<Record<string, unknown>>, clock: Clock = systemClock): Promise<Backend> {
  const store = await backend.open(args, { clock });
  onTestFinished(() => store.close());
  return store;
}

/** Writes one entry without a condition. Resolves to its version. */
export async function put(store: Backend, key: string, value: string, ttl?: number): Promise<string> {
  const write = ttl === undefined ? { key, value } : { key, value, ttl };
  return applied(store, { checks: [], writes: [write] });
}

export async function remove(store: Backend, key: string): Promise<string> {
  return applied(store, { checks: [], writes: [{ key, value: null }] });
}

/** Makes a commit that must succeed. Resolves to its version. */
export async function applied(store: Backend, commit: Commit): Promise<string> {
  const outcome = await store.commit(commit);
  if (!outcome.ok) throw new Error("a check failed");
  return outcome.version;
}

export async function get(store: Backend, key: string): Promise<StoredEntry | undefined> {
  const [entry] = await store.read([key]);
  return entry;
}

/** All keys of a channel, page by page. */
export async function keysOf(store: Backend, channel: string, limit = 100, reverse = false): Promise<string[]> {
  const keys: string[] = [];
  let from = `${channel} `;
  let to = `${channel}!`;
  for (;;) {
    const { entries, more } = await store.scan({ from, to, reverse, limit, values: false });
    keys.push(...entries.map(({ key }) => key));
    const last = entries.at(-1);
    if (last === undefined || !more) return keys;
    if (reverse) to = last.key;
    else from = `${last.key}\x01`;
  }
}

/** The error of a call: its code, whether to retry, whether it may be applied, and its message. */
export async function faultOf(call: Promise<unknown>): Promise<Record<string, unknown>> {
  const error: unknown = await call.then(
    (value) => new Error(`it succeeded: ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (!isChannelError(error)) throw error;
  const { code, retryable, outcome, message } = error;
  return { code, retryable, outcome, message };
}

/** A sink that records what it receives. */
export class Notes implements WatchSink {
  readonly all: (StoredChange | "gap" | Error)[] = [];

  get changes(): StoredChange[] {
    return this.all.filter((note): note is StoredChange => note !== "gap" && !(note instanceof Error));
  }

  get gaps(): number {
    return this.all.filter((note) => note === "gap").length;
  }

  change(change: StoredChange): void {
    this.all.push(change);
  }

  gap(): void {
    this.all.push("gap");
  }

  fail(error: Error): void {
    this.all.push(error);
  }
}

/** Watches a whole channel until the test is over. */
export async function watch(store: Backend, channel: string): Promise<Notes> {
  const notes = new Notes();
  onTestFinished(await store.watch({ from: `${channel} `, to: `${channel}!` }, notes));
  return notes;
}

/** Watches all keys that begin with the parts of an encoded key, until the test is over. */
export async function watchPrefix(store: Backend, prefix: string): Promise<Notes> {
  const notes = new Notes();
  onTestFinished(await store.watch({ from: prefix, to: `${prefix.slice(0, -1)}!` }, notes));
  return notes;
}

/** Watches one key until the test is over. */
export async function watchKey(store: Backend, key: string): Promise<Notes> {
  const notes = new Notes();
  onTestFinished(await store.watch({ from: key, to: justAfter(key) }, notes));
  return notes;
}
