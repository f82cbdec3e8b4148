import type { Channel } from "../channel/channel.js";
import type { Entry } from "../channel/types.js";
import type { Clock } from "../clock.js";
import type { LocksValue, LockValue, QueueValue } from "./entries.js";
import { readable, unlessForeign } from "./foreign.js";
import type { Liveness } from "./liveness.js";
import { isLock, isQueue, lockPlace, sessionPlace } from "./valid.js";

/** After so many entries, a page of a scan, or so many ms, a sweep lets others go first. */
const PAGE = 500;
const SLICE = 20;

/**
 * Removes what dead processes left: their locks, after `onOrphan`, and the sessions of dead processes of this host. Reads all sessions page by
 * page, and asks about one alone only where that one looks dead. `pause` is awaited from time to time; if it says false, the sweep is over.
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
      // What somebody else wrote there is not ours to remove, and must not keep us from the rest.
      if (!isLock(lock.value, place.name) || !(await census.isDead(lock.value.holder.instance))) continue;
      await onOrphan(lock);
    } else if (!(await isDeserted(entry as Entry<QueueValue>, census))) {
      continue;
    }
    await unlessForeign(removeEntry(channel, entry));
  }
  for (const { session, entry } of suspects) {
    if (!(await pace.goesOn())) return;
    if (await census.isDead(session)) await unlessForeign(removeEntry(channel, entry));
  }
}

/** Whether only dead sessions wait. Where others do too, whoever takes the lock leaves the dead out. */
async function isDeserted({ value }: Pick<Entry<QueueValue>, "value">, census: Census): Promise<boolean> {
  if (!isQueue(value)) return false;
  for (const { session } of value.waiting) if (!(await census.isDead(session))) return false;
  return true;
}

/** Who lives, as far as one scan of the sessions tells. */
class Census {
  readonly #liveness: Liveness;
  readonly #living: Set<string> = new Set();
  readonly #dead: Set<string> = new Set();

  constructor(liveness: Liveness) {
    this.#liveness = liveness;
  }

  /** Takes in an entry of a session, as the scan brought it. False if that session looks dead. */
  counts(session: string, entry: Pick<Entry<unknown>, "key" | "value" | "expiresIn">): boolean {
    // A call to a session comes right after it.
    if ((entry.key as readonly string[]).length > 2) return this.#living.has(session);
    if (this.#liveness.looksDead(session, entry)) return false;
    this.#living.add(session);
    return true;
  }

  /** A session that the scan did not bring may have been opened since: the store is asked about it, once. */
  async isDead(session: string): Promise<boolean> {
    if (this.#living.has(session)) return false;
    if (this.#dead.has(session)) return true;
    this.#liveness.forget(session);
    const dead = await this.#liveness.isDead(session);
    (dead ? this.#dead : this.#living).add(session);
    return dead;
  }
}

/** Lets others go first from time to time. */
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

  /** To be awaited at each entry. */
  async goesOn(): Promise<boolean> {
    if (++this.#entries < PAGE && this.#clock.monotonic() < this.#since + SLICE) return true;
    const goesOn = await this.#pause();
    this.#entries = 0;
    this.#since = this.#clock.monotonic();
    return goesOn;
  }
}

/** Deletes an entry, unless it changed. */
export async function removeEntry(
  channel: Channel<LocksValue>,
  { key, version }: Omit<Entry<LocksValue>, "value">,
): Promise<void> {
  await channel.commit([{ check: key, version }, { delete: key }]);
}
