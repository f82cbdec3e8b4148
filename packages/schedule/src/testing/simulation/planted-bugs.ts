import type {
  Backend,
  CallOptions,
  Commit,
  CommitOutcome,
  StoredEntry,
  StoredWrite,
  Supports,
} from "@ojm/core/backend";
import { PassedOn } from "../../../../core/src/testing/stores/passed-on.js";
import type { PlantedBug } from "./simulation.js";

const SCHEDULES = "oJobManager-schedules ";
const isOurs = ({ key }: { readonly key: string }): boolean => key.startsWith(SCHEDULES);
const isCursor = ({ key }: { readonly key: string }): boolean => key.startsWith(`${SCHEDULES}["cursor `);
const isSchedule = ({ key }: { readonly key: string }): boolean => key.startsWith(`${SCHEDULES}["schedule `);
const isTick = ({ key }: { readonly key: string }): boolean => key.startsWith(`${SCHEDULES}["tick `);
const isRetry = ({ key }: { readonly key: string }): boolean => key.startsWith('oJobManager-locks ["retry ');
const isMaintenance = ({ key }: { readonly key: string }): boolean => key.startsWith('oJobManager-locks ["maintenance');
const isRun = ({ key }: { readonly key: string }): boolean => key.startsWith("oJobManager-jobs ");
const isLock = ({ key }: { readonly key: string }): boolean => /^oJobManager-locks \["lock "[^"]*$/.test(key);

const contentOf = ({ value }: StoredWrite): Record<string, unknown> => (value === null ? {} : JSON.parse(value));
const claims = ({ writes }: Commit): boolean =>
  writes.some(isLock) &&
  writes.some(isCursor) &&
  writes.some((write) => isTick(write) && contentOf(write)["outcome"] === "run");

class Planted extends PassedOn {
  /** Commits without the checks that `left` names, as if they held. */
  async without(
    commit: Commit,
    left: (check: { readonly key: string }) => boolean,
    options?: CallOptions,
  ): Promise<CommitOutcome> {
    const outcome = await this.store.commit({ ...commit, checks: commit.checks.filter((one) => !left(one)) }, options);
    if (outcome.ok) return outcome;
    const rest = [...outcome.current];
    const expected = commit.checks.map((check) => {
      if (!left(check)) return rest.shift();
      return check.version === null ? undefined : { key: check.key, version: check.version, value: "null" };
    });
    return { ok: false, current: expected };
  }
}

/** The lock is taken, and the tick is claimed after that, without checking for other claims. */
class ClaimAfterLock extends Planted {
  override async commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    if (!claims(commit)) return super.commit(commit, options);
    const writes = commit.writes.filter((one) => !isOurs(one));
    const outcome = await this.without({ ...commit, writes }, isOurs, options);
    if (outcome.ok) await this.store.commit({ checks: [], writes: commit.writes.filter(isOurs) }, options);
    return outcome;
  }
}

/** The tick is claimed, and the run is started after that: a process that dies in between loses it. */
class ClaimBeforeStart extends Planted {
  override async commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    if (!claims(commit)) return super.commit(commit, options);
    const claim = { checks: commit.checks.filter(isOurs), writes: commit.writes.filter(isOurs) };
    const claimed = await this.store.commit(claim, options);
    if (!claimed.ok) return super.commit(commit, options);
    return this.without({ ...commit, writes: commit.writes.filter((one) => !isOurs(one)) }, isOurs, options);
  }
}

/** The cursor moves at a pause, and the tick gets no outcome. */
class ForgottenAtPause extends Planted {
  override commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const writes = commit.writes.filter((write) => !isTick(write) || contentOf(write)["reason"] !== "paused");
    return super.commit({ ...commit, writes }, options);
  }
}

/** A tick that waited is run, and keeps waiting. */
class CatchUpTwice extends Planted {
  override commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const tick = commit.writes.find((write) => isTick(write) && contentOf(write)["outcome"] === "run");
    const cursor = commit.writes.find(isCursor);
    if (tick === undefined || cursor === undefined) return super.commit(commit, options);
    const at = Number(/:(\d+)/.exec(tick.key)?.[1]);
    const value = contentOf(cursor) as { at: number; waiting?: number[] };
    if (value.at === at) return super.commit(commit, options);
    const waiting = JSON.stringify({ ...value, waiting: [at, ...(value.waiting ?? [])] });
    const writes = commit.writes.map((write) => (write === cursor ? { ...write, value: waiting } : write));
    return this.without({ ...commit, writes }, isTick, options);
  }
}

/** Uses a definition and a pause that it read before. */
class OldDefinition extends Planted {
  // Without a watch: a process that gets each pause at once rarely uses an old definition.
  override readonly supports: Supports = Object.freeze({ ...this.store.supports, watch: false });

  override commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    return claims(commit) ? this.without(commit, isSchedule, options) : super.commit(commit, options);
  }
}

/** Starts a run although a maintenance has begun that it does not know. */
class OldMaintenance extends Planted {
  override readonly supports: Supports = Object.freeze({ ...this.store.supports, watch: false });

  override commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    return claims(commit) ? this.without(commit, isMaintenance, options) : super.commit(commit, options);
  }
}

/** Two members that both consider themselves the first write the cursor, without checking the other. */
class CursorUnchecked extends Planted {
  override commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const left = (check: { readonly key: string }): boolean => isCursor(check) || isTick(check);
    return commit.writes.some(isTick) ? this.without(commit, left, options) : super.commit(commit, options);
  }
}

/** The tick that replaces a run starts before that run has ended. */
class ReplaceTooEarly extends Planted {
  override async commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const outcome = await super.commit(commit, options);
    if (outcome.ok || !claims(commit)) return outcome;
    return this.without(commit, isLock, options);
  }
}

/** An attempt stays in the store although a process has made it, so another process makes it again. */
class RetryTwice extends Planted {
  override commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    if (!commit.writes.some(isLock)) return super.commit(commit, options);
    const writes = commit.writes.filter((one) => !isRetry(one) || one.value !== null);
    return this.without({ ...commit, writes }, isRetry, options);
  }
}

/** The next attempt is not in the commit that closes the previous one. */
class RetryLost extends Planted {
  #written = 0;

  override commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const writes = commit.writes.filter((one) => !isRetry(one) || one.value === null || this.#written++ % 2 === 0);
    return super.commit({ ...commit, writes }, options);
  }
}

/** A run whose start was not answered is closed, and not made up for. */
class NotMadeUpFor extends Planted {
  override commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const isForNone = (write: StoredWrite): boolean =>
      isRetry(write) && `${contentOf(write)["error"]}`.includes("did not begin");
    return super.commit({ ...commit, writes: commit.writes.filter((one) => !isForNone(one)) }, options);
  }
}

/** A late tick is left out, as if it had been decided. */
class LateForgotten extends Planted {
  override commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const writes = commit.writes.filter((write) => !isTick(write) || contentOf(write)["outcome"] !== "missed");
    return super.commit({ ...commit, writes }, options);
  }
}

/** Sometimes a completed run is recorded as cancelled. */
class CancelledByNobody extends Planted {
  #completed = 0;

  override commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const isEnd = (write: StoredWrite): boolean => isRun(write) && contentOf(write)["status"] === "completed";
    const writes = commit.writes.map((write) =>
      isEnd(write) && this.#completed++ % 5 === 4
        ? { ...write, value: JSON.stringify({ ...contentOf(write), status: "cancelled" }) }
        : write,
    );
    return super.commit({ ...commit, writes }, options);
  }
}

/** A run that is handed over uses one of its attempts. */
class HandOverCounts extends Planted {
  override commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const counted = commit.writes.map((write) => {
      const { handedOver, attempt } = isRetry(write) ? contentOf(write) : {};
      if (handedOver !== true) return write;
      return { ...write, value: JSON.stringify({ ...contentOf(write), attempt: Number(attempt) + 1 }) };
    });
    return super.commit({ ...commit, writes: counted }, options);
  }
}

/** A backfill writes its run, and leaves its tick in the range of missed ones. */
class LeftInRange extends Planted {
  override commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const run = commit.writes.find((one) => isTick(one) && one.value?.includes('"backfill"') === true);
    if (run === undefined) return super.commit(commit, options);
    const writes = commit.writes.filter((one) => one === run || !isTick(one));
    return this.without({ ...commit, writes }, isTick, options);
  }
}

/** The cursor of a wrong clock is set back, and the outcomes beyond it are forgotten. */
class AheadForgotten extends Planted {
  override async read(keys: readonly string[], options?: CallOptions): Promise<(StoredEntry | undefined)[]> {
    const entries = await super.read(keys, options);
    return entries.map((entry) => (entry && isCursor(entry) ? { ...entry, value: withoutAhead(entry.value) } : entry));
  }
}

const withoutAhead = (text: string): string => text.replace(/,"ahead":\d+/, "");

const plant =
  (Bug: new (store: Backend, clock: never) => Planted): PlantedBug["plant"] =>
  (store) =>
    new Bug(store, undefined as never);

/** The same setup without a bug. */
export const noBug: PlantedBug = { name: "none", caughtAs: /^$/, plant: plant(Planted) };

/** All planted bugs, each with the law that catches it. */
export const plantedBugs: readonly PlantedBug[] = [
  { name: "the claim is not in the commit of the lock", caughtAs: /decided twice/, plant: plant(ClaimAfterLock) },
  {
    name: "a tick is claimed before its run is started",
    caughtAs: /was never started/,
    plant: plant(ClaimBeforeStart),
  },
  { name: "a tick is forgotten at a pause", caughtAs: /passed without an outcome/, plant: plant(ForgottenAtPause) },
  { name: "a catch-up that doubles", caughtAs: /decided twice/, plant: plant(CatchUpTwice) },
  { name: "a run by an old definition", caughtAs: /while it is paused/, plant: plant(OldDefinition) },
  { name: "a run without a check for a maintenance", caughtAs: /during a maintenance/, plant: plant(OldMaintenance) },
  { name: "a cursor that is written unchecked", caughtAs: /decided twice|moves back/, plant: plant(CursorUnchecked) },
  { name: "a replace that starts too early", caughtAs: /two runs of \S+ at once/, plant: plant(ReplaceTooEarly) },
  {
    name: "a retry by two",
    caughtAs: /attempt \d of the tick \S+ of \S+ was run twice/,
    plant: plant(RetryTwice),
    only: "retries",
  },
  {
    name: "a retry that is lost",
    caughtAs: /is not tried again after attempt/,
    plant: plant(RetryLost),
    only: "retries",
  },
  {
    name: "a start without an answer that is not made up for",
    caughtAs: /is not tried again after attempt/,
    plant: plant(NotMadeUpFor),
    only: "skips",
  },
  {
    name: "a run is cancelled without a request",
    caughtAs: /was cancelled without a request/,
    plant: plant(CancelledByNobody),
  },
  {
    name: "a scheduler that closes frees the locks of bodies that are still running",
    caughtAs: /two runs of \S+ at once/,
    plant: plant(Planted),
    close: (scheduler) => scheduler.close({ grace: 0 }),
  },
  {
    name: "a run that is handed over uses an attempt",
    caughtAs: /is not made again: \S+ was handed over/,
    plant: plant(HandOverCounts),
    only: "retries",
  },
  {
    name: "a backfill that leaves its tick in a range",
    caughtAs: /has two outcomes/,
    plant: plant(LeftInRange),
    only: "skips",
  },
  {
    name: "a cursor that was set back and forgets it",
    caughtAs: /has two outcomes|is decided twice/,
    plant: plant(AheadForgotten),
    only: "skips",
  },
  { name: "a late tick is forgotten", caughtAs: /passed without an outcome/, plant: plant(LateForgotten) },
];
