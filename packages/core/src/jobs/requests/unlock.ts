import type { Channel } from "../../channel/channel.js";
import type { LocksValue } from "../../locks/entries/schema.js";
import type { Locks } from "../../locks/locks.js";
import type { Clock } from "../../util/clock.js";
import { RunError } from "../errors.js";
import { isMap } from "../options.js";
import { closeRunOf } from "../records/orphans.js";
import type { TimeIndex } from "../records/time-index.js";
import type { EndedBy, RunRecord, UnlockOptions, UnlockOutcome } from "../types.js";

/** What an unlock needs of its manager. */
export interface Unlocking {
  readonly locks: Locks;
  readonly lockChannel: Channel<unknown>;
  readonly jobs: Channel<RunRecord>;
  readonly index: TimeIndex;
  readonly clock: Clock;
}

/** Takes the lock of a name from its holder, after its run is closed. */
export async function unlockName(
  { locks, lockChannel, jobs, index, clock }: Unlocking,
  name: string,
  options: UnlockOptions,
): Promise<UnlockOutcome> {
  const { reason, author, fence }: Partial<UnlockOptions> = isMap(options) ? options : {};
  if (typeof reason !== "string" || reason === "")
    throw new RunError("INVALID", name, "a forced unlock needs a reason");
  if (author !== undefined && typeof author !== "string")
    throw new RunError("INVALID", name, "author of a forced unlock must be a text");
  if (fence !== undefined && typeof fence !== "string")
    throw new RunError("INVALID", name, "fence of a forced unlock must be that of a lock: a text");
  let run: RunRecord | undefined;
  const lock = await locks.operator.forceUnlock(name, { reason, author, fence }, async (held, by) => {
    const endedBy: EndedBy = { action: "unlock", by, ...(author !== undefined && { author }), reason };
    const error = `unlocked by force: ${reason}`;
    const close = { endTime: clock.now(), status: "cancelled", error, endedBy } as const;
    run = await closeRunOf({ jobs, locks: lockChannel as Channel<LocksValue>, index }, held, close);
  });
  if (lock === undefined) return { unlocked: false, ...(run && { run }) };
  return { unlocked: true, holder: lock.holder, ...(run && { run }) };
}
