import { type Channel, compareVersions, type Version } from "@ojm/core";
import type { Args } from "../../load/job-file.js";
import type { PlannedJob } from "../../plan/planned.js";
import type { Engine } from "../engine.js";
import { JobError } from "../runtime/job-error.js";
import { asWritten } from "../runtime/script-channels.js";

/** Runs a job for every entry and change of its channel, one at a time: the order of changes matters. */
export async function subscribe(
  engine: Engine,
  subscriptions: Subscriptions,
  job: PlannedJob,
  given: readonly Args[],
): Promise<void> {
  const { log, runtime, dispatch } = engine;
  const { chSubscribe: name = "", onlyFromNow } = job.typeArgs;
  const channel = await runtime.channels.channel(name);
  const onChange = async (change: Change): Promise<void> => {
    const request = { job, given: given.map((args) => ({ ...args, ...asWritten(change) })), trigger: "subscribe" };
    await Promise.all(dispatch.submit(request).map(({ finished }) => finished));
  };
  const warn = (text: string): void => void log.line("WARN", `"${job.name}": ${text}`);
  const onGap = (): void =>
    warn(
      `the job missed changes of the channel "${name}": they came faster than it ran, or while the store was away. It still runs for the last state of each key that changed.`,
    );
  const onDropped = (count: number): void =>
    warn(`${count} changes of the channel "${name}" got no run, because the jobs were stopped.`);
  const onFailure = (error: JobError): void => engine.failed(job.name, error);
  await subscriptions.follow(channel, { onChange, onGap, onDropped }, onFailure, { onlyFromNow });
}

export class Subscriptions {
  readonly #stop = new AbortController();
  readonly #followers = new Map<ChannelFollower, Channel>();

  /**
   * Delivers the entries of a channel, and then its changes. With `onlyFromNow` it delivers the changes
   * alone. Resolves once it follows the channel. `onFailure` is called if the store fails later: no further
   * change will come.
   */
  async follow(
    channel: Channel,
    handler: ChangeHandler,
    onFailure: (error: JobError) => void,
    { onlyFromNow = false }: { readonly onlyFromNow?: boolean | undefined } = {},
  ): Promise<void> {
    const follower = new ChannelFollower(channel, handler, this.#stop.signal);
    let live = false;
    await new Promise<void>((resolve, reject) => {
      const begin = (): void => {
        live = true;
        this.#followers.set(follower, channel);
        resolve();
      };
      // It also resolves if a stop comes first, without following the channel.
      follower.follow(onlyFromNow, begin).then(resolve, (cause: Error) => {
        if (!live) return reject(cause);
        onFailure(new JobError(`"${channel.name}" is no longer followed: ${cause.message}`, { cause }));
      });
    });
  }

  /** Resolves when all changes so far were handled. True if there were any: jobs may have made others. */
  async catchUp(): Promise<boolean> {
    let any = false;
    for (const [follower, channel] of this.#followers) {
      const before = follower.delivered;
      // If the store fails, the watch of the channel fails too and reports it.
      await synced(channel, this.#stop.signal).catch(() => {});
      await follower.idle();
      any ||= follower.delivered > before;
    }
    return any;
  }

  close(): void {
    this.#stop.abort();
    this.#followers.clear();
  }
}

async function synced(channel: Channel, signal: AbortSignal): Promise<void> {
  for await (const event of channel.watch({ signal })) if (event.type === "synced") return;
}

/** An existing entry, as a `set`, or a change of a channel, as the arguments of the job that it starts. */
export type Change = {
  readonly ch: string;
  readonly op: "set" | "unset";
  readonly k: unknown;
  readonly v?: unknown;
};

interface ChangeHandler {
  /** Handles one change. It is called in the order of changes, and only after the previous call is done. */
  readonly onChange: (change: Change) => Promise<unknown>;
  /** Some changes were skipped: too fast, or the store was away. The last state of each key is handled. */
  readonly onGap: () => void;
  /** The follower was stopped while this many changes were pending. */
  readonly onDropped: (count: number) => void;
}

/**
 * How many changes are read ahead. At that number the follower stops reading, and the channel buffers further
 * changes: its watch holds 10,000 of them, and then reports a gap and the current state instead of growing.
 */
const MAX_PENDING = 10;

/** Passes the entries of one channel to a handler, and then each change, one after the other. */
class ChannelFollower {
  readonly #channel: Channel;
  readonly #handler: ChangeHandler;
  readonly #signal: AbortSignal;
  readonly #queue: Change[] = [];
  /**
   * The known keys, as JSON, each with its last version. After a gap they show which keys have changed and
   * which were deleted. The version alone is not enough: one commit gives all its entries the same version.
   */
  readonly #present = new Map<string, Version>();
  /** The earlier keys that the state has not named so far, while it is read: at the start, after a gap. */
  #missing: Set<string> | undefined = new Set();
  #busy = false;
  #wakeReader: (() => void) | undefined;
  #whenIdle: (() => void)[] = [];
  /** How many changes the handler received. */
  delivered = 0;

  constructor(channel: Channel, handler: ChangeHandler, signal: AbortSignal) {
    this.#channel = channel;
    this.#handler = handler;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#drop(), { once: true });
  }

  /**
   * Follows the channel until the signal fires, and calls `begin` once every later change will be delivered.
   * With `onlyFromNow`, the entries that exist are not. Rejects if the store fails.
   */
  async follow(onlyFromNow: boolean, begin: () => void): Promise<void> {
    try {
      await this.#read(onlyFromNow, begin);
    } finally {
      this.#missing = undefined;
      this.#settle();
    }
  }

  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenIdle.push(resolve);
      this.#settle();
    });
  }

  async #read(onlyFromNow: boolean, begin: () => void): Promise<void> {
    let live = false;
    const beginOnce = (): void => {
      if (!live) begin();
      live = true;
    };
    for await (const event of this.#channel.watch({ signal: this.#signal })) {
      // Begin at the first entry: the handler may be slow, and may need jobs that come later in the todo.
      if (!onlyFromNow) beginOnce();
      if (event.type === "put") {
        const { key: k, value: v, version } = event.entry;
        const isNew = this.#meet(k, version);
        // Read the entries that exist at the pace of the handler: a channel may have more than memory holds.
        if (live && isNew) await this.#add({ ch: this.#channel.name, op: "set", k, v });
      } else if (event.type === "delete") {
        this.#meet(event.key, undefined);
        await this.#add({ ch: this.#channel.name, op: "unset", k: event.key });
      } else if (event.type === "gap") {
        this.#handler.onGap();
        this.#missing = new Set(this.#present.keys());
      } else {
        await this.#forgetMissing();
        beginOnce();
      }
    }
  }

  /** Records that a key exists in this version, or that it does not exist. Returns whether that is new. */
  #meet(key: unknown, version: Version | undefined): boolean {
    const id = JSON.stringify(key);
    const before = this.#present.get(id);
    this.#missing?.delete(id);
    if (version === undefined) return this.#present.delete(id);
    if (before !== undefined && compareVersions(version, before) <= 0) return false;
    this.#present.set(id, version);
    return true;
  }

  /** The state is complete: the earlier keys that it did not name were deleted. */
  async #forgetMissing(): Promise<void> {
    for (const id of this.#missing ?? []) {
      this.#present.delete(id);
      await this.#add({ ch: this.#channel.name, op: "unset", k: JSON.parse(id) });
    }
    this.#missing = undefined;
    this.#settle();
  }

  /** Resolves when the next change may be read. */
  async #add(change: Change): Promise<void> {
    if (this.#signal.aborted) return;
    this.#queue.push(change);
    void this.#deliver();
    while (this.#queue.length >= MAX_PENDING) {
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
  }

  async #deliver(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let change = this.#queue.shift(); change !== undefined; change = this.#queue.shift()) {
      this.#wakeReader?.();
      this.delivered++;
      await this.#handler.onChange(change);
    }
    this.#busy = false;
    this.#settle();
  }

  #drop(): void {
    const { length } = this.#queue.splice(0);
    if (length > 0) this.#handler.onDropped(length);
    this.#wakeReader?.();
    this.#settle();
  }

  #settle(): void {
    if (this.#busy || this.#queue.length > 0 || (this.#missing !== undefined && !this.#signal.aborted)) return;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}
