import { visible } from "@ojm/core/internal";
import { adopt, restore } from "../store/adopt.js";
import type { StoredSchedule } from "../store/schema.js";
import type { Found, Stored } from "../store/store.js";
import { warn } from "../warn.js";
import type { Host, OwnSchedule } from "./start.js";

/**
 * A member with an older definition takes over once no member with the newer one has been seen for this long,
 * in ms. It is four times the time to live of a member, because all members expire at once while the store
 * cannot be reached.
 */
const ALONE = 60_000;

/** Handles the case in which this process has another definition than the store. */
export class Succession {
  readonly #host: Host;
  readonly #own: OwnSchedule;
  #warned: string | undefined;
  #aloneSince: number | undefined;

  constructor(host: Host, own: OwnSchedule) {
    this.#host = host;
    this.#own = own;
  }

  /**
   * Stays passive while a member can run the newer definition, and warns. If there is no such member for a
   * while, the newer definition was rolled back: takes over, and resolves to the new content of the store.
   * Resolves to a number if the next check is due at that instant.
   */
  async look(schedule: StoredSchedule): Promise<Found | number | undefined> {
    const { members, presence, store, began } = this.#host;
    const { name } = this.#own;
    this.#tell(schedule);
    if (members.hasOther(name, schedule.hash)) {
      this.#aloneSince = undefined;
      return undefined;
    }
    const now = store.clock.monotonic();
    this.#aloneSince ??= now;
    const left = ALONE - (now - Math.max(this.#aloneSince, presence.since));
    if (left > 0) return store.clock.now() + left;
    const stored = await adopt(store, this.#own, { began, rollback: true });
    const { hash, revision } = stored.schedule.value;
    if (hash === this.#own.hash)
      warn(`the schedule "${visible(name)}" is run by its earlier definition again, as revision ${revision}`);
    return stored;
  }

  #tell({ name, hash, revision, since }: StoredSchedule): void {
    if (this.#warned === hash) return;
    this.#warned = hash;
    const when = new Date(since).toISOString();
    warn(
      `the schedule "${visible(name)}" has a newer definition, revision ${revision} of ${when}: this process runs it once it has seen no process with that one for a minute`,
    );
  }
}

/**
 * Handles a missing entry of a schedule. Either the schedule was removed, or the store lost its data, as a
 * Redis without persistence does at a restart. Without this repair, the job would silently never run again.
 *
 * A process that had the definition of the store puts it back. Resolves to the new content of the store; to
 * `undefined` if the schedule stays gone.
 */
export async function findLost(
  { store }: Host,
  { name, hash }: OwnSchedule,
  known: StoredSchedule | undefined,
): Promise<Stored | undefined> {
  const stored = known?.hash === hash ? await restore(store, known) : undefined;
  if (stored === undefined) {
    warn(`the schedule "${visible(name)}" was removed: it is not run any more`);
    return undefined;
  }
  warn(`the store had lost the schedule "${visible(name)}": it is there again, and its ticks begin now`);
  return stored;
}

/**
 * Handles a schedule whose cursor is missing, because a Redis with eviction dropped it or an operator deleted
 * it. It is then unknown which ticks were decided, so the ticks begin now and none runs twice. Resolves to
 * the new content of the store; to `undefined` if the schedule is gone too.
 */
export async function findCursor({ store }: Host, schedule: StoredSchedule): Promise<Stored | undefined> {
  const stored = await restore(store, schedule);
  if (stored !== undefined)
    warn(`the store had lost which ticks of "${visible(schedule.name)}" were decided: they begin now`);
  return stored;
}
