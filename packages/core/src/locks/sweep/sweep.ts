import { readable, unlessCorrupt } from "../../channel/calls/corrupt.js";
import type { Channel } from "../../channel/channel.js";
import type { Entry } from "../../channel/types.js";
import type { Clock } from "../../util/clock.js";
import { removeEntry } from "../entries/remove.js";
import type { LocksValue, LockValue, QueueValue } from "../entries/schema.js";
import { isLock, isQueue, lockPlace, sessionPlace } from "../entries/valid.js";
import type { Liveness } from "../session/liveness.js";

/** A sweep pauses after this many entries (one page of a scan) or this many ms, so that others can work. */
const PAGE = 500;
const SLICE = 20;

/**
 * Removes the leftovers of dead processes: their locks, after `onOrphan`, and the sessions of dead processes
 * of this host.
 *
 * Reads all sessions page by page, and reads one alone only if it looks dead. Awaits `pause` from time to
 * time; the sweep ends when it resolves to false.
 */
export async function sweep(
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
    if (!(await pace.goesOn())) return;
  }
  for await (const entry of readable(channel, { prefix: ["lock"] })) {
    if (!(await pace.goesOn())) return;
    const place = lockPlace(entry.key);
    if (place === undefined) continue;
    if (place.part === "lock") {
      const lock = entry as Entry<LockValue>;
      // Leave a corrupt entry: ojm did not write it, and it must not stop the rest of the sweep.
      if (!isLock(lock.value, place.name) || !(await census.isDead(lock.value.holder.instance))) continue;
      await onOrphan(lock);
    } else if (!(await isDeserted(entry as Entry<QueueValue>, census))) {
      continue;
    }
    await unlessCorrupt(removeEntry(channel, entry));
  }
  for (const { session, entry } of suspects) {
    if (!(await pace.goesOn())) return;
    if (await census.isDead(session)) await unlessCorrupt(removeEntry(channel, entry));
  }
}

/** Whether only dead sessions wait. If others wait too, the next attempt removes the dead tickets. */
async function isDeserted({ value }: Pick<Entry<QueueValue>, "value">, census: Census): Promise<boolean> {
  if (!isQueue(value)) return false;
  for (const { session } of value.waiting) if (!(await census.isDead(session))) return false;
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

  /**
   * Whether a session is dead. A session that the scan did not find may be newer than the scan: read it once.
   */
  async isDead(session: string): Promise<boolean> {
    if (this.#living.has(session)) return false;
    if (this.#dead.has(session)) return true;
    this.#liveness.forget(session);
    const dead = await this.#liveness.isDead(session);
    (dead ? this.#dead : this.#living).add(session);
    return dead;
  }
}

/** Pauses from time to time, so that others can work. */
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
  async goesOn(): Promise<boolean> {
    if (++this.#entries < PAGE && this.#clock.monotonic() < this.#since + SLICE) return true;
    const goesOn = await this.#pause();
    this.#entries = 0;
    this.#since = this.#clock.monotonic();
    return goesOn;
  }
}
