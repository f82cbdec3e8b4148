import { unlessCorrupt } from "../../channel/corrupt.js";
import { encodeKey } from "../../channel/encoding/key.js";
import type { EntriesOptions, Key, Version } from "../../channel/types.js";
import type { Clock } from "../../util/clock.js";
import { processIdentity } from "../../util/process-state.js";
import { fieldsOf, isCount, isText, isTime } from "../../util/shape.js";

/** The process that has the turn, for people to read. No decision depends on it. */
export interface TurnValue {
  readonly by: { readonly host: string; readonly pid: number };
  /** When the process took or kept the turn, in ms since 1970 by its wall clock. */
  readonly at: number;
}

/** Whether a value is a valid {@link TurnValue}. */
export function isTurn(value: unknown): value is TurnValue {
  const { by, at } = fieldsOf<TurnValue>(value) ?? {};
  const { host, pid } = fieldsOf<TurnValue["by"]>(by) ?? {};
  return isText(host) && isCount(pid) && isTime(at);
}

/** The methods of a channel that a turn needs. */
export interface TurnChannel {
  keys(options: EntriesOptions): AsyncIterable<{ readonly key: Key; readonly version: Version }>;
  compareAndSet(
    key: Key,
    expected: Version | null,
    value: TurnValue,
  ): Promise<{ readonly ok: true; readonly version: Version } | { readonly ok: false }>;
}

/** The entry as it was last seen; `null` if it was absent. */
interface Seen {
  readonly version: Version | null;
  /** When this version was first seen, by the monotonic clock. */
  readonly since: number;
}

/**
 * Elects one process that works for all users of a channel. The process with the turn writes an entry. The
 * turn is free once the entry was not written for `life` ms, by the clock of the process that wants it.
 *
 * The entry has no time to live. With one, on etcd each process that reads the entry would delete it, and a
 * jump of the wall clock of a server could keep it too long. Without one, a single rule covers a process that
 * died while it had the turn and an entry that another program overwrote.
 *
 * A turn is not a lock: two processes may have it at once, so the work must be safe to repeat.
 */
export class Turn {
  readonly #channel: TurnChannel;
  readonly #clock: Clock;
  readonly #key: Key;
  readonly #life: number;
  #seen: Seen | undefined;
  #mine = false;

  constructor(channel: TurnChannel, clock: Clock, key: Key, life: number) {
    this.#channel = channel;
    this.#clock = clock;
    this.#key = key;
    this.#life = life;
  }

  /** Whether this process had the turn at its last check. */
  get mine(): boolean {
    return this.#mine;
  }

  /** Takes the turn if it is free. Costs one call while it is not. */
  async take(): Promise<boolean> {
    await this.#look();
    return this.left() <= 0 && this.#write();
  }

  /** Gives up the turn: it is not renewed, so it is free after its `life`. */
  giveUp(): void {
    this.#mine = false;
  }

  /**
   * Keeps the turn, or takes it if it is free. Resolves to whether this process has it. With `seize`, takes
   * it from any other process: of several that seize it at once, one gets it.
   */
  async hold(seize = false): Promise<boolean> {
    await this.#look();
    return this.#mine ? this.keep() : (seize || this.left() <= 0) && this.#write();
  }

  /** Keeps the turn of this process. Resolves to false if another process has it now. */
  async keep(): Promise<boolean> {
    return this.left() > this.#life / 2 || this.#write();
  }

  /** The time until the turn is free unless it is renewed, in ms. */
  left(): number {
    const { version = null, since = 0 } = this.#seen ?? {};
    return version === null ? 0 : since + this.#life - this.#clock.monotonic();
  }

  /** Read only the version: an overwritten entry may have no valid value, but it has a version. */
  async #look(): Promise<void> {
    let found: Version | null = null;
    for await (const { key, version } of this.#channel.keys({ prefix: this.#key, limit: 1 })) {
      // The turn is the first of its prefix. If it is missing, the scan returns a foreign entry behind it.
      if (encodeKey(key) === encodeKey(this.#key)) found = version;
    }
    if (this.#seen?.version !== found) this.#see(found, false);
  }

  async #write(): Promise<boolean> {
    const { host, pid } = processIdentity();
    const value: TurnValue = { by: { host, pid }, at: this.#clock.now() };
    const expected = this.#seen?.version ?? null;
    const outcome = await unlessCorrupt(this.#channel.compareAndSet(this.#key, expected, value));
    if (outcome?.ok !== true) return false;
    this.#see(outcome.version, true);
    return true;
  }

  #see(version: Version | null, mine: boolean): void {
    this.#seen = { version, since: this.#clock.monotonic() };
    this.#mine = mine;
  }
}

const DIGITS = 6;

/** A random number from 0 (inclusive) to 1 (exclusive). */
export function chance(clock: Clock): number {
  return Number.parseInt(clock.random(DIGITS), 36) / 36 ** DIGITS;
}
