import type { CallOptions, Commit, CommitOutcome, StoredWrite } from "../../channel/backend/backend.js";
import { isLock, isSession } from "./entry-kinds.js";
import { asExpected, Planted, type PlantedBug, withoutDeadlines } from "./planted-bugs.js";

/* Bugs of those who keep a lock between two attempts, planted between ojm and the store. */

const keeps = ({ key, value }: StoredWrite): boolean => isLock(key) && value?.includes('"note":{"kept":') === true;

const beginsAttempt = ({ key, value }: StoredWrite): boolean =>
  isLock(key) && value !== null && /"note":\{"run":.*"attempt":(?!1\b)/.test(value);

const takesLock = ({ key, value }: StoredWrite): boolean => isLock(key) && value?.includes('"note":{"run":') === true;

/** The end of an attempt frees its lock, and its process believes that it is kept. */
class FreedBetween extends Planted {
  override async commit({ checks, writes }: Commit, options?: CallOptions): Promise<CommitOutcome> {
    return super.commit({ checks, writes: writes.map((it) => (keeps(it) ? { ...it, value: null } : it)) }, options);
  }
}

/** A run that finds a lock that is kept takes it, as there is no run that it would disturb. */
class KeptIsFree extends Planted {
  override async commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const lock = commit.checks.findIndex(({ key }) => isLock(key));
    const { key = "" } = commit.checks[lock] ?? {};
    if (!commit.writes.some(takesLock) || lock < 0) return super.commit(commit, options);
    const [current] = await this.store.read([key], options);
    const isKept = current !== undefined && keeps({ key, value: current.value });
    return isKept ? this.commitWithout(lock, commit, options) : super.commit(commit, options);
  }
}

/** The next attempt does not look whether its process lives, and still has the lock that it kept. */
class KeptForEver extends Planted {
  override async commit({ checks, writes }: Commit, options?: CallOptions): Promise<CommitOutcome> {
    if (!writes.some(beginsAttempt)) return super.commit({ checks, writes }, options);
    const others = checks.filter(({ key }) => !isLock(key) && !isSession(key));
    const outcome = await this.store.commit({ checks: others, writes }, options);
    if (outcome.ok) return outcome;
    const current = [...outcome.current];
    return {
      ok: false,
      current: checks.map((check) => (others.includes(check) ? current.shift() : asExpected(check))),
    };
  }
}

/** All planted bugs of locks that are kept. */
export const plantedKeptBugs: readonly PlantedBug[] = [
  {
    name: "the lock is free between two attempts that keep it",
    caughtAs: /is free between two attempts/,
    plant: (store, clock) => new FreedBetween(store, clock),
  },
  {
    name: "a run takes a lock that is kept for the next attempt",
    caughtAs: /^the lock that is kept for attempt \d of .* is taken by/,
    plant: (store, clock) => new KeptIsFree(store, clock),
  },
  {
    name: "an attempt begins with a lock that was kept and is lost",
    caughtAs: /^two hold /,
    plant: (store, clock) => new KeptForEver(store, clock),
    clock: withoutDeadlines,
    late: true,
  },
];
