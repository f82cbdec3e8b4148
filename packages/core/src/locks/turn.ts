import { encodeKey } from "../channel/key.js";
import type { EntriesOptions, Key, Version } from "../channel/types.js";
import type { Clock } from "../clock.js";
import { processIdentity } from "../host.js";
import { unlessForeign } from "./foreign.js";

/** Who has a turn, for people: nobody decides by it. */
export interface TurnValue {
  readonly by: { readonly host: string; readonly pid: number };
  /** When it was taken, or kept last, by the wall clock of whoever has it. */
  readonly at: number;
}

/** What a turn needs of the channel that its entry is in. */
export interface TurnChannel {
  keys(options: EntriesOptions): AsyncIterable<{ readonly key: Key; readonly version: Version }>;
  compareAndSet(
    key: Key,
    expected: Version | null,
    value: TurnValue,
  ): Promise<{ readonly ok: true; readonly version: Version } | { readonly ok: false }>;
}

/** What was found of the entry: absent with `null`. */
interface Seen {
  readonly version: Version | null;
  /** Since when it is known to be so, by the monotonic clock. */
  readonly since: number;
}

/**
 * Whose turn it is to do what one process does for all that use a channel. Whoever has the turn writes an entry. The turn is free as soon as nobody
 * wrote that entry for `life` ms, by the clock of whoever wants it.
 *
 * The entry has no time to live: on etcd each process that had read it would delete it, and a wall clock of a server that jumps would keep it. So
 * a process that died with its turn, and an entry that somebody wrote over, pass by one rule. It excludes nobody for sure, and need not.
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

  /** Takes the turn, if it is free. Costs one call as long as it is not. */
  async take(): Promise<boolean> {
    await this.#look();
    return this.left() <= 0 && this.#write();
  }

  /** Keeps the turn, or takes it if it is free. Resolves to whether we have it. */
  async hold(): Promise<boolean> {
    await this.#look();
    return this.#mine ? this.keep() : this.left() <= 0 && this.#write();
  }

  /** Keeps the turn that was taken. Resolves to false if somebody else has it now. */
  async keep(): Promise<boolean> {
    return this.left() > this.#life / 2 || this.#write();
  }

  /** In how many ms the turn is free, should nobody keep it. */
  left(): number {
    const { version = null, since = 0 } = this.#seen ?? {};
    return version === null ? 0 : since + this.#life - this.#clock.monotonic();
  }

  /** Without the value: what somebody wrote over it would be no value, and has a version, too. */
  async #look(): Promise<void> {
    let found: Version | null = null;
    for await (const { key, version } of this.#channel.keys({ prefix: this.#key, limit: 1 })) {
      // The turn is the first of its prefix: without it, somebody else's entry behind it would come.
      if (encodeKey(key) === encodeKey(this.#key)) found = version;
    }
    if (this.#seen?.version !== found) this.#see(found, false);
  }

  async #write(): Promise<boolean> {
    const { host, pid } = processIdentity();
    const value: TurnValue = { by: { host, pid }, at: this.#clock.now() };
    const expected = this.#seen?.version ?? null;
    const outcome = await unlessForeign(this.#channel.compareAndSet(this.#key, expected, value));
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

/** A number from 0 up to 1. */
export function chance(clock: Clock): number {
  return Number.parseInt(clock.random(DIGITS), 36) / 36 ** DIGITS;
}
