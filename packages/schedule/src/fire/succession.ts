import { visible } from "@ojm/core/internal";
import { warn } from "../background.js";
import { adopt, restore } from "../store/adopt.js";
import type { StoredSchedule } from "../store/schema.js";
import type { Found, Stored } from "../store/store.js";
import type { Host, OwnSchedule } from "./start.js";

/**
 * So long nobody must have been seen who can run the newer definition before an older one takes over, in
 * ms: four times as long as a member lives without a renewal. A store that was away lets all members expire
 * at once.
 */
const ALONE = 60_000;

/** What a process does whose definition is not that of the store. */
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
   * Stays passive while somebody can run the newer definition, and says so. If there is nobody for a while,
   * the newer one was rolled back: takes over, and resolves to what is in the store then. Resolves to a
   * number if there is to be another look at that instant.
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
      `the schedule "${visible(name)}" has a newer definition, revision ${revision} of ${when}: this process does not run it`,
    );
  }
}

/**
 * What a process does when the entry of its schedule is gone. Somebody removed it, or the store lost its
 * data, as a Redis without persistence does at a restart: then nothing would ever run again, and nobody would
 * know.
 *
 * Who had the definition that was in the store puts it back. Resolves to what is in the store then; to
 * `undefined` if it stays gone.
 */
export async function findLost(
  { store, presence }: Host,
  { name, hash }: OwnSchedule,
  known: StoredSchedule | undefined,
): Promise<Stored | undefined> {
  const stored = known?.hash === hash ? await restore(store, known) : undefined;
  if (stored === undefined) {
    warn(`the schedule "${visible(name)}" was removed: it is not run any more`);
    return undefined;
  }
  warn(`the store had lost the schedule "${visible(name)}": it is there again, and its ticks begin now`);
  presence.renew();
  return stored;
}

/**
 * What a process does when a schedule has no cursor any more: a Redis that may evict lost it, or somebody
 * deleted it. Which ticks were decided is not known: they begin now, so that none runs twice. Resolves to
 * what is in the store then; to `undefined` if the schedule is gone too.
 */
export async function findCursor({ store }: Host, schedule: StoredSchedule): Promise<Stored | undefined> {
  const stored = await restore(store, schedule);
  if (stored !== undefined)
    warn(`the store had lost which ticks of "${visible(schedule.name)}" were decided: they begin now`);
  return stored;
}
