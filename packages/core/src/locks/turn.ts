import type { Channel } from "../channel/channel.js";
import type { Key, Version } from "../channel/types.js";
import type { Clock } from "../clock.js";
import { processIdentity } from "../host.js";
import type { LocksValue } from "./entries.js";
import { unlessForeign } from "./foreign.js";

/** Who has a turn, for people: nobody decides by it. */
export interface TurnValue {
  readonly by: { readonly host: string; readonly pid: number };
  /** When it was taken, or kept last, by the wall clock of whoever has it. */
  readonly at: number;
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
  readonly #channel: Channel<LocksValue>;
  readonly #clock: Clock;
  readonly #key: Key;
  readonly #life: number;
  #seen: Seen | undefined;

  constructor(channel: Channel<LocksValue>, clock: Clock, key: Key, life: number) {
    this.#channel = channel;
    this.#clock = clock;
    this.#key = key;
    this.#life = life;
  }

  /** Takes the turn, if it is free. Costs one call as long as it is not. */
  async take(): Promise<boolean> {
    const version = await this.#read();
    if (this.#seen?.version !== version) this.#see(version);
    return version === null || this.left() <= 0 ? this.#write(version) : false;
  }

  /** Keeps the turn that was taken. Resolves to false if somebody else has it now. */
  async keep(): Promise<boolean> {
    const version = this.#seen?.version ?? null;
    return this.left() > this.#life / 2 || this.#write(version);
  }

  /** In how many ms the turn is free, should nobody keep it. */
  left(): number {
    return this.#seen === undefined ? 0 : this.#seen.since + this.#life - this.#clock.monotonic();
  }

  /** Without the value: what somebody wrote over it would be no value, and has a version, too. */
  async #read(): Promise<Version | null> {
    for await (const { version } of this.#channel.keys({ prefix: this.#key, limit: 1 })) return version;
    return null;
  }

  async #write(version: Version | null): Promise<boolean> {
    const { host, pid } = processIdentity();
    const value: TurnValue = { by: { host, pid }, at: this.#clock.now() };
    const outcome = await unlessForeign(this.#channel.compareAndSet(this.#key, version, value));
    if (outcome?.ok === true) this.#see(outcome.version);
    return outcome?.ok === true;
  }

  #see(version: Version | null): void {
    this.#seen = { version, since: this.#clock.monotonic() };
  }
}
