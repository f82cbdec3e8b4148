import type { Channel } from "../../channel/channel.js";
import { readable, unlessCorrupt } from "../../channel/corrupt.js";
import { isChannelError } from "../../channel/errors.js";
import type { Entry } from "../../channel/types.js";
import { type Clock, systemClock } from "../../util/clock.js";
import { type LocksValue, type LockValue, type QueueValue, sweepKey } from "../entries/schema.js";
import { isLock, isQueue, lockPlace, removeEntry, sessionPlace, ticketsOf } from "../entries/valid.js";
import type { Liveness } from "../session/liveness.js";
import { chance, Turn } from "./turn.js";

/** A sweep pauses after this many entries (a page of a scan) or ms, so that other work can run. */
const PAGE = 500;
const SLICE = 20;

/**
 * Removes the leftovers of dead processes: their locks, after `onOrphan`, and the sessions of dead processes
 * of this host.
 *
 * Reads all sessions page by page. Reads a single session again only if the scan did not find it alive.
 * Awaits `pause` from time to time; the sweep ends when it resolves to false.
 */
async function sweep(
  channel: Channel<LocksValue>,
  liveness: Liveness,
  onOrphan: (lock: Entry<LockValue>) => Promise<void>,
  clock: Clock,
  pause: () => Promise<boolean>,
): Promise<void> {
  const pace = new Pace(clock, pause);
  const census = new Census(liveness);
  const suspects: { readonly session: string; readonly entry: Pick<Entry, "key" | "version"> }[] = [];
  for await (const entry of readable(channel, { prefix: ["session"] })) {
    const { key, version } = entry;
    const session = sessionPlace(key);
    if (session !== undefined && !census.counts(session, entry)) suspects.push({ session, entry: { key, version } });
    if (!(await pace.continues())) return;
  }
  for await (const entry of readable(channel, { prefix: ["lock"] })) {
    if (!(await pace.continues())) return;
    const place = lockPlace(entry.key);
    if (place === undefined) continue;
    if (place.part === "lock") {
      const lock = entry as Entry<LockValue>;
      // Leave a corrupt entry: ojm did not write it, and it must not stop the rest of the sweep.
      if (!isLock(lock.value, place.name) || !(await census.isDead(lock.value.holder.instance))) continue;
      await unlessStuck(channel, entry, async () => {
        await onOrphan(lock);
        await unlessCorrupt(removeEntry(channel, entry));
      });
    } else if (await isDeserted(entry as Entry<QueueValue>, census)) {
      await unlessCorrupt(removeEntry(channel, entry));
    }
  }
  for (const { session, entry } of suspects) {
    if (!(await pace.continues())) return;
    if (await census.isDead(session)) await unlessCorrupt(removeEntry(channel, entry));
  }
}

/**
 * Does `work` for an entry. If that times out although the store answers, as while a transaction of a hung
 * process has a fence on the entry, leaves it to a later sweep: it must not stop the rest.
 */
async function unlessStuck(
  channel: Channel<LocksValue>,
  { key }: Pick<Entry, "key">,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isChannelError(error) || error.code !== "TIMEOUT") throw error;
    await unlessCorrupt(channel.entry(key));
  }
}

/**
 * Whether only dead sessions wait. If living ones wait too, the next attempt removes the dead tickets. Items
 * that are not tickets may be waiters of a later version.
 */
async function isDeserted({ value }: Pick<Entry<QueueValue>, "value">, census: Census): Promise<boolean> {
  if (!isQueue(value)) return false;
  const tickets = ticketsOf(value);
  if (tickets.length < value.waiting.length) return false;
  for (const { session } of tickets) if (!(await census.isDead(session))) return false;
  return true;
}

/** The living sessions, as one scan found them. */
class Census {
  readonly #liveness: Liveness;
  readonly #living: Set<string> = new Set();
  readonly #dead: Set<string> = new Set();

  constructor(liveness: Liveness) {
    this.#liveness = liveness;
  }

  /** Adds an entry of a session, as the scan brought it. Returns false if that session looks dead. */
  counts(session: string, entry: Pick<Entry<unknown>, "key" | "value" | "expiresIn">): boolean {
    // A turn notice or a request: the scan returns it right after its session.
    if ((entry.key as readonly string[]).length > 2) return this.#living.has(session);
    if (this.#liveness.looksDead(session, entry)) return false;
    this.#living.add(session);
    return true;
  }

  /** Whether a session is dead. One that the scan did not find may be newer than the scan: read it once. */
  async isDead(session: string): Promise<boolean> {
    if (this.#living.has(session)) return false;
    if (this.#dead.has(session)) return true;
    this.#liveness.forget(session);
    const dead = await this.#liveness.isDead(session);
    (dead ? this.#dead : this.#living).add(session);
    return dead;
  }
}

/** Pauses from time to time, so that other work can run. */
class Pace {
  readonly #clock: Clock;
  readonly #pause: () => Promise<boolean>;
  #entries = 0;
  #since: number;

  constructor(clock: Clock, pause: () => Promise<boolean>) {
    this.#clock = clock;
    this.#pause = pause;
    this.#since = clock.monotonic();
  }

  /** Await it at each entry. Resolves to false when the sweep must end. */
  async continues(): Promise<boolean> {
    if (++this.#entries < PAGE && this.#clock.monotonic() < this.#since + SLICE) return true;
    const continues = await this.#pause();
    this.#entries = 0;
    this.#since = this.#clock.monotonic();
    return continues;
  }
}

/** After a sweep, no process sweeps for this part of a `ttl`; then the first that checks does. */
const TURN_LIFE = 3 / 4;

/** How much longer a process without the turn waits, as a part of a `ttl`: its checks find nothing to do. */
const REST_WITHOUT_TURN = 1 / 4;

/** Sweeps a channel. The processes of a channel take turns, so that one of them pays for each sweep. */
export class Sweeper {
  readonly #channel: Channel<LocksValue>;
  readonly #clock: Clock;
  readonly #ttl: number;
  readonly #liveness: Liveness;
  readonly #onOrphan: (lock: Entry<LockValue>) => Promise<void>;
  /** `undefined` if only this process can use the store. */
  readonly #turn: Turn | undefined;
  #looked = false;

  constructor(
    channel: Channel<LocksValue>,
    clock: Clock,
    ttl: number,
    liveness: Liveness,
    onOrphan: (lock: Entry<LockValue>) => Promise<void>,
  ) {
    this.#channel = channel;
    this.#clock = clock;
    this.#ttl = ttl;
    this.#liveness = liveness;
    this.#onOrphan = onOrphan;
    const alone = channel.supports.shared === "process" && clock === systemClock;
    this.#turn = alone ? undefined : new Turn(channel, clock, sweepKey, ttl * TURN_LIFE);
  }

  /** Sweeps now, even if another process has the turn. */
  sweep(): Promise<void> {
    return this.#sweep(async () => true);
  }

  /** Sweeps if this process gets the turn. */
  async inTurn(): Promise<void> {
    const turn = this.#turn;
    if (turn === undefined) await this.sweep();
    else if (await turn.take()) await this.#sweep(() => turn.keep());
  }

  /** The time until the next turn, in ms. It is random, so that not all processes check at once. */
  next(): number {
    const isBehind = this.#turn?.mine === false;
    const jitter = this.#ttl * (1 - TURN_LIFE) * chance(this.#clock);
    // Make the first check soon: only from then on can this process know for how long there was no sweep.
    const first = this.#turn !== undefined && !this.#looked;
    this.#looked = true;
    if (first) return jitter;
    const busy = this.#turn?.left() ?? 0;
    return (busy > 0 ? busy : this.#ttl * TURN_LIFE) + (isBehind ? this.#ttl * REST_WITHOUT_TURN + 2 * jitter : jitter);
  }

  #sweep(continues: () => Promise<boolean>): Promise<void> {
    const pause = async (): Promise<boolean> => {
      await new Promise<void>((resolve) => void this.#clock.after(1, resolve, true));
      return continues();
    };
    return sweep(this.#channel, this.#liveness, this.#onOrphan, this.#clock, pause);
  }
}
