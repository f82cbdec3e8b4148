import type { Channel, ChannelOps } from "../../channel/channel.js";
import { readable } from "../../channel/corrupt.js";
import type { Entry, Key, Op, Version } from "../../channel/types.js";
import type { LockValue } from "../../locks/entries/schema.js";
import { isHolder } from "../../locks/entries/valid.js";
import { whom } from "../../locks/entries/view.js";
import type { Holder } from "../../locks/types.js";
import { durationText, type InMs } from "../../util/duration.js";
import { fieldsOf, isOptional, isSpan, isText, isTime } from "../../util/shape.js";
import { visible } from "../../util/text.js";
import { RunError } from "../errors.js";
import { runOf } from "../records/orphans.js";
import type { OnceOptions, RunRecord, StartClaim, StartingRun, Tick } from "../types.js";
import type { RunContext } from "./context.js";

/*
 * An entry in the channel of the locks, under ["once", NAME, KEY], marks that a run of a window or of a tick
 * has started. The commit that takes the lock checks that it is absent, and writes it with a time to live. So
 * the store's clock decides how long it counts.
 */

/** The part of a window for which its entry is kept: starts vary by seconds, and some days have 23 hours. */
const WINDOW_PART = 0.9;

/** The length of the token of a start, in characters. */
const TOKEN = 12;

/** The start of a run, which keeps other runs with the same key from starting. */
export interface OnceValue {
  /** When the run started, by the clock of its process. */
  readonly at: number;
  readonly run: string;
  readonly by: Holder;
  /** Unique for each start. */
  readonly token: string;
  /** The window in ms; absent for a key of the caller. */
  readonly per?: number;
}

/** The key under which a run starts once, and how long that counts, in ms. */
function termsOf(once: InMs<OnceOptions>): { readonly key: string; readonly keep: number; readonly per?: number } {
  return "per" in once ? { key: `per ${once.per}`, keep: once.per * WINDOW_PART, per: once.per } : once;
}

const onceKey = (name: string, key: string): Key => ["once", name, key];

function isOnce({ value }: { readonly value: unknown }): boolean {
  const { at, run, by, token, per } = fieldsOf<OnceValue>(value) ?? {};
  return isTime(at) && isText(run) && isHolder(by) && isText(token) && isOptional(per, isSpan);
}

/** The starts of a name that keep other runs away, the newest first. */
export async function startsOf(locks: Channel<unknown>, name: string): Promise<Entry<OnceValue>[]> {
  const found: Entry<OnceValue>[] = [];
  for await (const entry of readable(locks, { prefix: ["once", name] }))
    if (isOnce(entry)) found.push(entry as Entry<OnceValue>);
  return found.toSorted((one, other) => other.value.at - one.value.at);
}

/**
 * Deletes the start of a run that never began because the store did not answer, so that another process may
 * start it. The commit that took the lock wrote the start too, so both have the same version.
 */
export async function forgetStart(
  locks: Channel<unknown>,
  lock: Pick<Entry<LockValue>, "value" | "version">,
): Promise<void> {
  for (const { key, version } of await startsOf(locks, runOf(lock.value).name))
    if (version === lock.version) await locks.commit([{ check: key, version }, { delete: key }]);
}

/** A start in words, and which runs it keeps from starting. */
export function startText({ key, value, expiresIn }: Entry<OnceValue>): string {
  const { at, run, by, per } = value;
  const what = per === undefined ? `for "${visible(keyOf(key))}"` : `once per ${durationText(per)}`;
  // Show the remaining time only for a window: the entry of a key, such as a tick, may stay longer.
  const rest = per === undefined || expiresIn === undefined ? "" : ` for ${durationText(expiresIn)}`;
  const began = `${visible(run)} started at ${new Date(at).toISOString()} on ${whom(by)}`;
  return `${began}: a run that is to start ${what} is skipped${rest}`;
}

function keyOf(key: Key): string {
  const [, , text] = Array.isArray(key) ? (key as readonly unknown[]) : [];
  return isText(text) ? text : "";
}

/** The claim of a run that starts once for its key, besides the claim of the caller. */
export class OnceClaim implements StartClaim {
  readonly tick?: Tick;
  readonly #locks: Channel<unknown>;
  readonly #name: string;
  readonly #terms: ReturnType<typeof termsOf>;
  readonly #more: StartClaim | undefined;
  /** Identifies our own entry after a lost answer. Another start may try the same run id. */
  readonly #token: string;
  #version: Version | null = null;

  constructor(
    { lockChannel, clock }: Pick<RunContext, "lockChannel" | "clock">,
    name: string,
    once: InMs<OnceOptions>,
    more: StartClaim | undefined,
  ) {
    this.#locks = lockChannel;
    this.#token = clock.random(TOKEN);
    this.#name = name;
    this.#terms = termsOf(once);
    this.#more = more;
    if (more?.tick !== undefined) this.tick = more.tick;
  }

  /** @throws RunError `STARTED` if a run with this key has started */
  async check(): Promise<void> {
    const key = this.#key;
    let entry: { readonly value: unknown; readonly version: Version } | undefined;
    for await (const one of readable(this.#locks, { prefix: key, limit: 1 })) entry = one;
    this.#version = entry?.version ?? null;
    // An entry that ojm did not write proves nothing about a run. It is replaced.
    if (entry === undefined || !isOnce(entry)) return;
    const start = entry as Entry<OnceValue>;
    if (start.value.token === this.#token) return;
    throw new RunError("STARTED", this.#name, `"${this.#name}" was not started: ${startText(start)}`);
  }

  get #key(): Key {
    return onceKey(this.#name, this.#terms.key);
  }

  ops(run: StartingRun): readonly ChannelOps<unknown>[] {
    const { keep, per } = this.#terms;
    const value: OnceValue = {
      at: run.startTime,
      run: run.id,
      by: run.holder,
      token: this.#token,
      ...(per !== undefined && { per }),
    };
    const ops: Op<unknown>[] = [
      { check: this.#key, version: this.#version },
      { put: this.#key, value, ttl: keep },
    ];
    return [...(this.#more?.ops(run) ?? []), { channel: this.#locks, ops }];
  }

  async refused(): Promise<void> {
    await this.check();
    await this.#more?.refused();
  }

  undo(run: StartingRun, version: Version): readonly ChannelOps<unknown>[] {
    const ops: Op<unknown>[] = [{ check: this.#key, version }, { delete: this.#key }];
    return [...(this.#more?.undo?.(run, version) ?? []), { channel: this.#locks, ops }];
  }

  end(record: RunRecord): readonly ChannelOps<unknown>[] {
    return this.#more?.end?.(record) ?? [];
  }
}
