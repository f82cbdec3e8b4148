import type {
  Backend,
  CallOptions,
  Commit,
  CommitOutcome,
  ScanPage,
  ScanRequest,
  StoredCheck,
  StoredEntry,
  StoredWrite,
  Supports,
} from "../../channel/backend/backend.js";
import type { JobManager } from "../../jobs/manager.js";
import type { Clock } from "../../util/clock.js";
import { PassedOn } from "../stores/passed-on.js";
import {
  isDone,
  isIndexed,
  isLock,
  isLocking,
  isOnce,
  isPermit,
  isRate,
  isRecord,
  isRetry,
  isSession,
  isSweep,
  isToken,
} from "./entry-kinds.js";

/** A bug that other lock code shipped, planted between ojm and the store: a check must find it. */
export interface PlantedBug {
  readonly name: string;
  /** Matches the error of the check that finds it. */
  readonly caughtAs: RegExp;
  /** The way of one process to the store, with the bug. */
  plant(store: Backend, clock: Clock): Backend;
  /** The clock of that process, if the bug is there too. */
  clock?(clock: Clock): Clock;
  /** How its processes close, if the bug is in there. */
  close?(manager: JobManager, grace: number, clock: Clock): Promise<void>;
  /** Its signals are late: the check searches for the consequences. */
  readonly late?: true;
}

const LATE = /^the signal of .* is late/;
const TWO_HOLD = /^two hold /;
/** The first of two findings: the record of a living run is closed, or its lock is taken. */
const TAKEN_EARLY = /^two hold |is taken for dead, and has its lock/;
const LEFT = /^\S+ .* is left of /;
const RATE_BROKEN = /^\d runs begin within/;
const CLOSED_TWICE = /was closed \d times/;

function statusOf(write: StoredWrite): unknown {
  return isRecord(write.key) && write.value !== null ? JSON.parse(write.value).status : undefined;
}

/** The way of a process to the store, with a bug. */
export class Planted extends PassedOn {
  // Without a watch: a holder that gets a signal of every loss at once stops in time, which hides most of
  // these bugs. The laws must hold without watches.
  override readonly supports: Supports = Object.freeze({ ...this.store.supports, watch: false });

  /** Commits without the check at `index`, as if it held. */
  async commitWithout(index: number, { checks, writes }: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const outcome = await this.store.commit({ checks: checks.filter((_, i) => i !== index), writes }, options);
    if (outcome.ok) return outcome;
    const current = [...outcome.current];
    current.splice(index, 0, asExpected(checks[index]));
    return { ok: false, current };
  }

  /** Commits without the checks of these keys, as if they held. */
  async commitWithoutAll(
    isLeftOut: (key: string) => boolean,
    commit: Commit,
    options?: CallOptions,
  ): Promise<CommitOutcome> {
    const { checks, writes } = commit;
    const outcome = await this.store.commit({ checks: checks.filter(({ key }) => !isLeftOut(key)), writes }, options);
    if (outcome.ok) return outcome;
    const current = [...outcome.current];
    return { ok: false, current: checks.map((check) => (isLeftOut(check.key) ? asExpected(check) : current.shift())) };
  }
}

/** The entry that a check expects. */
export function asExpected(check: StoredCheck | undefined): StoredEntry | undefined {
  const { key = "", version = null } = check ?? {};
  return version === null ? undefined : { key, version, value: "null" };
}

const deletesLock = ({ writes }: Commit): boolean => writes.some(({ key, value }) => isLock(key) && value === null);
const takesLock = ({ writes }: Commit): boolean => writes.some(({ key, value }) => isLock(key) && value !== null);

class ReleaseWithoutOwner extends Planted {
  override async commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const owner = commit.checks.findIndex(({ key }) => isLock(key));
    if (!deletesLock(commit) || owner < 0) return super.commit(commit, options);
    return this.commitWithout(owner, commit, options);
  }
}

class PermitWithoutCheck extends Planted {
  override async commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const puts = new Set(commit.writes.filter(({ value }) => value !== null).map(({ key }) => key));
    const place = commit.checks.findIndex(({ key }) => isPermit(key) && puts.has(key));
    if (!takesLock(commit) || place < 0) return super.commit(commit, options);
    return this.commitWithout(place, commit, options);
  }
}

class PermitsUnchecked extends Planted {
  override commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    return takesLock(commit) ? this.commitWithoutAll(isPermit, commit, options) : super.commit(commit, options);
  }
}

const isPermitLine = (key: string): boolean => key.startsWith('oJobManager-locks ["lock "ojm!_permit');

class PermitLineUnchecked extends Planted {
  override commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const takesPermit = commit.writes.some(({ key, value }) => isPermit(key) && value !== null);
    return takesPermit ? this.commitWithoutAll(isPermitLine, commit, options) : super.commit(commit, options);
  }
}

/** Leaves out checks of the commits that take a token. */
class TokenUnchecked extends Planted {
  readonly #isLeftOut: (key: string) => boolean;

  constructor(store: Backend, clock: Clock, isLeftOut: (key: string) => boolean) {
    super(store, clock);
    this.#isLeftOut = isLeftOut;
  }

  override commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const takesToken = commit.writes.some(({ key, value }) => isToken(key) && value !== null);
    return takesToken ? this.commitWithoutAll(this.#isLeftOut, commit, options) : super.commit(commit, options);
  }
}

const isRateLine = (key: string): boolean => key.startsWith('oJobManager-locks ["lock "ojm!_rate');

class TokenNotWritten extends Planted {
  override commit({ checks, writes }: Commit, options?: CallOptions): Promise<CommitOutcome> {
    return super.commit({ checks, writes: writes.filter(({ key }) => !isToken(key)) }, options);
  }
}

class ExpiryInTwoSteps extends Planted {
  override async commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const dead = commit.checks.find(({ key, version }) => isLock(key) && version !== null);
    if (!takesLock(commit) || dead === undefined) return super.commit(commit, options);
    await this.store.commit({ checks: [], writes: [{ key: dead.key, value: null }] }, options);
    const checks = commit.checks.map((check) => (check === dead ? { ...dead, version: null } : check));
    return super.commit({ checks, writes: commit.writes }, options);
  }
}

class WallClockExpiry extends Planted {
  override async read(keys: readonly string[], options?: CallOptions): Promise<(StoredEntry | undefined)[]> {
    const now = this.clock.now();
    const isOver = (entry: StoredEntry): boolean => isSession(entry.key) && JSON.parse(entry.value).until < now;
    return (await super.read(keys, options)).map((entry) => (entry && isOver(entry) ? undefined : entry));
  }

  override async commit({ checks, writes }: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const stamped = writes.map((write) => {
      if (!isSession(write.key) || write.value === null || write.ttl === undefined) return write;
      return {
        key: write.key,
        value: JSON.stringify({ ...JSON.parse(write.value), until: this.clock.now() + write.ttl }),
      };
    });
    return super.commit({ checks, writes: stamped }, options);
  }
}

class RenewalAfterExpiry extends Planted {
  /** Its process has no deadlines of its own, so it must check each time whether others are dead. */
  override async read(keys: readonly string[], options?: CallOptions): Promise<(StoredEntry | undefined)[]> {
    return (await super.read(keys, options)).map((entry) => entry && { ...entry, expiresIn: 0 });
  }

  override async commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    // A process that believes in its session has no reason to check whether its locks are still there.
    if (commit.writes.length === 0) return { ok: true, version: "0" };
    const outcome = await super.commit(commit, options);
    const renews = commit.writes.some(({ key, ttl }) => isSession(key) && ttl !== undefined);
    return outcome.ok || !renews ? outcome : super.commit({ checks: [], writes: commit.writes }, options);
  }
}

class ReleaseByLoser extends Planted {
  override async commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const outcome = await super.commit(commit, options);
    if (outcome.ok || !takesLock(commit)) return outcome;
    const writes = commit.writes.filter(({ key }) => isLock(key)).map(({ key }) => ({ key, value: null }));
    await this.store.commit({ checks: [], writes }, options);
    return outcome;
  }
}

class EndAfterLoss extends Planted {
  override async commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const outcome = await super.commit(commit, options);
    const ends = commit.writes.filter((write) => statusOf(write) === "completed");
    if (!outcome.ok && ends.length > 0) await this.store.commit({ checks: [], writes: ends }, options);
    return outcome;
  }
}

/** The end of a run overwrites the changes of others to its record. */
class EndOverwrites extends Planted {
  override async commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const ends = commit.writes.some((write) => ["completed", "failed"].includes(`${statusOf(write)}`));
    const record = commit.checks.findIndex(({ key, version }) => isRecord(key) && version !== null);
    return ends && record >= 0 ? this.commitWithout(record, commit, options) : super.commit(commit, options);
  }
}

/** Finds the lock of an open record only by the version of the record. */
class FenceByVersion extends Planted {
  override async read(keys: readonly string[], options?: CallOptions): Promise<(StoredEntry | undefined)[]> {
    const isWrittenBack = (it: StoredEntry): boolean =>
      isLock(it.key) && this.#writtenBack.has(JSON.parse(it.value).name);
    const entries = await super.read(keys, options);
    for (const it of entries) if (it !== undefined && isRecord(it.key)) this.#see(it);
    return entries.map((it) => (it && isWrittenBack(it) ? { ...it, value: it.value.replace('"run":', '"of":') } : it));
  }
  readonly #writtenBack: Set<string> = new Set();
  #see({ value }: StoredEntry): void {
    const { name, status, added } = JSON.parse(value);
    if (status === "running" && added !== undefined) this.#writtenBack.add(name);
    else this.#writtenBack.delete(name);
  }
}

/** Checks whether a run of the window has started, but not in the commit that takes the lock. */
class OnceInTwoSteps extends Planted {
  override async commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const start = commit.checks.findIndex(({ key }) => isOnce(key));
    return start >= 0 && takesLock(commit) ? this.commitWithout(start, commit, options) : super.commit(commit, options);
  }
}

/** Marks a run of the window as started only once its body is over. */
class OnceAtTheEnd extends Planted {
  override async commit({ checks, writes }: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const kept = writes.filter(({ key, value }) => !isOnce(key) || value === null);
    return super.commit({ checks, writes: kept }, options);
  }
}

/** Checks whether the key of a run is done, but not in the commit that takes the lock. */
class DoneUnchecked extends Planted {
  override commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    return takesLock(commit) ? this.commitWithoutAll(isDone, commit, options) : super.commit(commit, options);
  }
}

/** Marks the key of a run as done in a second commit, once the lock is released. */
class DoneAfterwards extends Planted {
  override async commit({ checks, writes }: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const done = writes.filter(({ key, value }) => isDone(key) && value !== null);
    const outcome = await super.commit({ checks, writes: writes.filter((write) => !done.includes(write)) }, options);
    if (outcome.ok && done.length > 0) await super.commit({ checks: [], writes: done }, options);
    return outcome;
  }
}

class OrphanClosedTwice extends Planted {
  override async commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const closes = commit.checks.length === 1 && commit.writes.some((write) => statusOf(write) === "lost");
    return closes ? this.commitWithout(0, commit, options) : super.commit(commit, options);
  }
}

class TurnForEver extends Planted {
  readonly #own: Set<string> = new Set();

  override async commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const turn = commit.checks.find(({ key }) => isSweep(key));
    if (turn === undefined) return super.commit(commit, options);
    const taken = turn.version !== null && !this.#own.has(turn.version);
    if (taken) return { ok: false, current: commit.checks.map(asExpected) };
    const outcome = await super.commit(commit, options);
    if (outcome.ok) this.#own.add(outcome.version);
    return outcome;
  }
}

class RecordWithoutIndex extends Planted {
  override async commit({ checks, writes }: Commit, options?: CallOptions): Promise<CommitOutcome> {
    // For every tenth record, the index entry is left out of the commit, and forgotten.
    const kept = writes.filter(({ key, value }) => !isIndexed(key) || value === null || !key.endsWith('7 "a '));
    return super.commit({ checks, writes: kept }, options);
  }
}

/** How long a sweep uses the sessions that it read before the locks, in ms. */
const SWEEP = 100;

class SessionsBeforeLocks extends Planted {
  #there: Set<string> = new Set();
  #until = 0;

  override async scan(request: ScanRequest, options?: CallOptions): Promise<ScanPage> {
    const ofLocks = isLocking(request.from);
    if (ofLocks) this.#until = Number.POSITIVE_INFINITY;
    const page = await super.scan(request, options).finally(() => {
      if (ofLocks) this.#until = this.clock.monotonic() + SWEEP;
    });
    if (isSession(request.from)) this.#there = new Set(page.entries.map(({ key }) => key));
    return page;
  }

  override async read(keys: readonly string[], options?: CallOptions): Promise<(StoredEntry | undefined)[]> {
    const entries = await super.read(keys, options);
    if (this.clock.monotonic() >= this.#until) return entries;
    return entries.map((entry) => (entry && isSession(entry.key) && !this.#there.has(entry.key) ? undefined : entry));
  }
}

/** A run that is handed over uses one of its attempts. */
class HandOverCounts extends Planted {
  override async commit({ checks, writes }: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const counted = writes.map((write) => {
      const { handedOver, attempt } = isRetry(write.key) && write.value !== null ? JSON.parse(write.value) : {};
      if (handedOver !== true) return write;
      return { ...write, value: JSON.stringify({ ...JSON.parse(write.value as string), attempt: attempt + 1 }) };
    });
    return super.commit({ checks, writes: counted }, options);
  }
}

/** A clock by which no deadline passes. */
export function withoutDeadlines(clock: Clock): Clock {
  const start = clock.monotonic();
  const after: Clock["after"] = (ms, callback, keepAlive) => clock.after(ms, callback, keepAlive);
  return { now: () => clock.now(), monotonic: () => start, after, random: (length) => clock.random(length) };
}

/** The same setup without a bug: a finding here is not a planted bug. */
export const noBug: PlantedBug = {
  name: "none",
  caughtAs: /^$/,
  plant: (store, clock) => new Planted(store, clock),
};

/** All planted bugs. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    name: "no owner check on release",
    caughtAs: TWO_HOLD,
    plant: (store, clock) => new ReleaseWithoutOwner(store, clock),
  },
  { name: "expiry in two steps", caughtAs: TWO_HOLD, plant: (store, clock) => new ExpiryInTwoSteps(store, clock) },
  { name: "wall-clock expiry", caughtAs: TAKEN_EARLY, plant: (store, clock) => new WallClockExpiry(store, clock) },
  {
    name: "no deadline of its own",
    caughtAs: LATE,
    plant: (store, clock) => new Planted(store, clock),
    clock: withoutDeadlines,
  },
  {
    name: "no deadline, and renewal after expiry",
    caughtAs: TWO_HOLD,
    plant: (store, clock) => new RenewalAfterExpiry(store, clock),
    clock: withoutDeadlines,
    late: true,
  },
  {
    name: "a run starts although all its permits are taken",
    caughtAs: /^\d runs have the permit/,
    plant: (store, clock) => new PermitsUnchecked(store, clock),
  },
  {
    name: "that a permit is free is checked before the commit",
    caughtAs: /^\d runs have the permit/,
    plant: (store, clock) => new PermitWithoutCheck(store, clock),
  },
  {
    name: "a run with permits does not check whether others wait for them",
    caughtAs: /passes the first in line for the permit/,
    plant: (store, clock) => new PermitLineUnchecked(store, clock),
  },
  {
    name: "a run starts although its rate is used up",
    caughtAs: RATE_BROKEN,
    plant: (store, clock) => new TokenUnchecked(store, clock, isToken),
  },
  {
    name: "two runs take tokens of a rate at once",
    caughtAs: RATE_BROKEN,
    plant: (store, clock) => new TokenUnchecked(store, clock, (key) => isRate(key) && !isToken(key)),
  },
  {
    name: "a run with a rate does not check whether others wait for it",
    caughtAs: /passes the first in line for the rate/,
    plant: (store, clock) => new TokenUnchecked(store, clock, isRateLine),
  },
  {
    name: "the token of a run is not written with its lock",
    caughtAs: /begins without a token/,
    plant: (store, clock) => new TokenNotWritten(store, clock),
  },
  { name: "release by the loser", caughtAs: TWO_HOLD, plant: (store, clock) => new ReleaseByLoser(store, clock) },
  { name: "end record after loss", caughtAs: CLOSED_TWICE, plant: (store, clock) => new EndAfterLoss(store, clock) },
  {
    name: "the end of a run drops what a program added to its record",
    caughtAs: /lost what a program added/,
    plant: (store, clock) => new EndOverwrites(store, clock),
  },
  {
    name: "a record that a program wrote back seems to have no lock",
    caughtAs: /is taken for dead, and has its lock|: expected 'undefined' to be/,
    plant: (store, clock) => new FenceByVersion(store, clock),
  },
  {
    name: "that a run of the window has started is checked before the commit",
    caughtAs: /starts in the window of/,
    plant: (store, clock) => new OnceInTwoSteps(store, clock),
  },
  {
    name: "that a run of the window has started is not written with its lock",
    caughtAs: /begins without the entry of its start/,
    plant: (store, clock) => new OnceAtTheEnd(store, clock),
  },
  {
    name: "that a key is done is checked before the commit of the lock",
    caughtAs: /^(oJobManager-locks \["done|once\/).* and was /,
    plant: (store, clock) => new DoneUnchecked(store, clock),
  },
  {
    name: "a key is marked as done in a second commit",
    caughtAs: /^(oJobManager-locks \["done|once\/).* and was /,
    plant: (store, clock) => new DoneAfterwards(store, clock),
  },
  { name: "orphan closed twice", caughtAs: CLOSED_TWICE, plant: (store, clock) => new OrphanClosedTwice(store, clock) },
  {
    name: "the turn of a sweeper that died is never free",
    caughtAs: LEFT,
    plant: (store, clock) => new TurnForEver(store, clock),
  },
  {
    name: "a sweep goes by the sessions that it read before the locks",
    caughtAs: TAKEN_EARLY,
    plant: (store, clock) => new SessionsBeforeLocks(store, clock),
  },
  {
    name: "a record is written without its entry in the index",
    caughtAs: /the index lacks|: expected 'undefined' to be/,
    plant: (store, clock) => new RecordWithoutIndex(store, clock),
  },
  {
    name: "a close frees the locks of bodies that are still running",
    caughtAs: /^a close frees the lock of .* while its body runs/,
    plant: (store, clock) => new Planted(store, clock),
    close: (manager) => manager.close({ grace: 0 }),
  },
  {
    name: "a process that closes starts runs until its own have ended",
    caughtAs: /begins in a process that is closing/,
    plant: (store, clock) => new Planted(store, clock),
    close: async (manager, grace, clock) => {
      await new Promise<void>((resolve) => void clock.after(2_000, resolve));
      await manager.close({ grace });
    },
  },
  {
    name: "a run that is handed over uses an attempt",
    caughtAs: /was handed over|has the attempts|waits for attempt/,
    plant: (store, clock) => new HandOverCounts(store, clock),
  },
];
