import { type Backend, type CallOptions, type Commit, type CommitOutcome, systemClock } from "@ojm/core/backend";
import { PassedOn } from "../../../../core/src/testing/stores/passed-on.js";
import type { PlantedBug } from "./simulation.js";

const isKind =
  (kind: string) =>
  ({ key }: { readonly key: string }): boolean =>
    key.startsWith(`oJobManager-queues ["${kind} `);
const [isWaiting, isTaken, isDefinition, isUnique, isBatch, isGroup, isMember] = [
  "w",
  "t",
  "def",
  "uniq",
  "batch",
  "g",
  "m",
].map(isKind) as [
  ReturnType<typeof isKind>,
  ReturnType<typeof isKind>,
  ReturnType<typeof isKind>,
  ReturnType<typeof isKind>,
  ReturnType<typeof isKind>,
  ReturnType<typeof isKind>,
  ReturnType<typeof isKind>,
];
const isPlaced = (write: { readonly key: string }): boolean =>
  isTaken(write) || isWaiting(write) || isKind("due")(write);
const isLock = ({ key }: { readonly key: string }): boolean => /^oJobManager-locks \["lock "queue[^"]*$/.test(key);
const isDeletedRecord = ({ key, value }: { readonly key: string; readonly value?: string | null }): boolean =>
  key.startsWith("oJobManager-jobs ") && value === null;
const isEffect = ({ key }: { readonly key: string }): boolean => key.startsWith("effects ");

const takes = ({ writes }: Commit): boolean => writes.some((write) => isTaken(write) && write.value !== null);
const replaces = ({ checks, writes }: Commit): boolean =>
  writes.some(
    ({ key, value }) => value !== null && checks.some((check) => check.key === key && check.version !== null),
  );
const endsBatch = ({ writes }: Commit): boolean => writes.some((write) => isBatch(write) && write.value === null);
const ends = ({ writes }: Commit): boolean => writes.some((write) => isTaken(write) && write.value === null);

/** A store on which commits lack some of their checks, as if they held. */
class Unchecked extends PassedOn {
  readonly #of: (commit: Commit) => boolean;
  readonly #left: (check: { readonly key: string }) => boolean;

  constructor(store: Backend, of: (commit: Commit) => boolean, left: (check: { readonly key: string }) => boolean) {
    super(store, systemClock);
    this.#of = of;
    this.#left = left;
  }

  override async commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    if (!this.#of(commit)) return super.commit(commit, options);
    const checks = commit.checks.filter((check) => !this.#left(check));
    const outcome = await super.commit({ ...commit, checks }, options);
    if (outcome.ok) return outcome;
    const rest = [...outcome.current];
    const current = commit.checks.map((check) => {
      if (!this.#left(check)) return rest.shift();
      return check.version === null ? undefined : { key: check.key, version: check.version, value: "null" };
    });
    return { ok: false, current };
  }
}

/** A store on which some writes come in a commit of their own, after the others. */
class Later extends PassedOn {
  readonly #of: (commit: Commit) => boolean;
  readonly #later: (write: { readonly key: string }) => boolean;

  constructor(store: Backend, of: (commit: Commit) => boolean, later: (write: { readonly key: string }) => boolean) {
    super(store, systemClock);
    this.#of = of;
    this.#later = later;
  }

  override async commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    if (!this.#of(commit)) return super.commit(commit, options);
    const writes = commit.writes.filter((write) => !this.#later(write));
    const outcome = await super.commit({ ...commit, writes }, options);
    if (outcome.ok) await super.commit({ checks: [], writes: commit.writes.filter(this.#later) }, options);
    return outcome;
  }
}

/** A store on which the commit that takes an item deletes its entry in its batch. */
class LeavingEarly extends PassedOn {
  override async commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const taken = commit.writes.find((write) => isTaken(write) && write.value !== null);
    const { batch } = JSON.parse(taken?.value ?? "{}") as { readonly batch?: string };
    if (taken === undefined || batch === undefined) return super.commit(commit, options);
    const key = taken.key.replace('["t "q ', `["in "q "${batch} `);
    return super.commit({ ...commit, writes: [...commit.writes, { key, value: null }] }, options);
  }
}

type WriteFilter = (write: Commit["writes"][number], checks: Commit["checks"]) => boolean;

/** A store that drops some writes. */
class Dropped extends PassedOn {
  readonly #of: WriteFilter;

  constructor(store: Backend, of: WriteFilter) {
    super(store, systemClock);
    this.#of = of;
  }

  override commit({ checks, writes }: Commit, options?: CallOptions): Promise<CommitOutcome> {
    return super.commit({ checks, writes: writes.filter((write) => !this.#of(write, checks)) }, options);
  }
}

/** Whether a write removes the mark of an idle worker. A worker that is not idle shows so without a check. */
const calls: WriteFilter = (write, checks) =>
  isMember(write) && write.value !== null && checks.length > 0 && !write.value.includes('"idle"');

/** A store that counts one more attempt of an item that leaves its worker with the attempt that it had. */
class CountingAll extends PassedOn {
  readonly #attempts: Map<string, number> = new Map();

  override commit({ checks, writes }: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const left = writes.find((write) => isTaken(write) && write.value === null);
    const counted = writes.map((write) => {
      if (!isPlaced(write) || write.value == null) return write;
      const item = JSON.parse(write.value) as { readonly attempt: number };
      if (isTaken(write)) this.#attempts.set(write.key, item.attempt);
      const isBack = left !== undefined && item.attempt === this.#attempts.get(left.key);
      return isBack ? { ...write, value: JSON.stringify({ ...item, attempt: item.attempt + 1 }) } : write;
    });
    return super.commit({ checks, writes: counted }, options);
  }
}

/** The setup of a bug without the bug. */
export const noBug: PlantedBug = {
  name: "none",
  caughtAs: /never/,
  plant: (store) => new PassedOn(store, systemClock),
};

export const plantedBugs: readonly PlantedBug[] = [
  {
    name: "an item is taken although another worker has taken it meanwhile",
    caughtAs: /ended twice|in two states/,
    plant: (store) => new Unchecked(store, takes, isWaiting),
  },
  {
    name: "an item is marked as taken after its lock was taken",
    caughtAs: /without its lock|in two states|disappeared|ended twice/,
    plant: (store) => new Later(store, takes, isTaken),
  },
  {
    name: "the writes of a handler are applied after the end of its item",
    caughtAs: /disappeared/,
    plant: (store) => new Later(store, ends, isEffect),
  },
  {
    name: "an attempt is taken for lost while its lock is held",
    caughtAs: /while its lock is held|ended twice/,
    plant: (store) => new Unchecked(store, (commit) => ends(commit) && !commit.writes.some(isLock), isLock),
  },
  {
    name: "a worker does not notice that its queue is paused",
    caughtAs: /although its queue is paused/,
    plant: (store) => new Unchecked(store, takes, isDefinition),
  },
  {
    name: "an attempt ends without a check for newer data of its item",
    caughtAs: /newest data of .* is lost/,
    plant: (store) => new Unchecked(store, ends, isTaken),
  },
  {
    name: "newer data is written to an item that a worker has just taken, or has ended",
    caughtAs: /in two states|has ended twice|newest data of .* is lost/,
    plant: (store) => new Unchecked(store, replaces, (check) => isTaken(check) || isWaiting(check)),
  },
  {
    name: "the callback of a batch is added without a check that the batch has not ended",
    caughtAs: /has two callbacks/,
    plant: (store) => new Unchecked(store, endsBatch, isBatch),
  },
  {
    name: "an item leaves its batch when a worker takes it",
    caughtAs: /ends before/,
    plant: (store) => new LeavingEarly(store, systemClock),
  },
  {
    name: "two items are added with one unique key",
    caughtAs: /have the key/,
    plant: (store) => new Unchecked(store, ({ writes }) => writes.some(isUnique), isUnique),
  },
  {
    name: "the end of a run leaves its record open",
    caughtAs: /record of .* is still open|record of .* stays/,
    plant: (store) => new Dropped(store, isDeletedRecord),
  },
  {
    name: "a given back item counts its attempt",
    caughtAs: /counts although it was given back/,
    plant: (store) => new CountingAll(store, systemClock),
  },
  {
    name: "the turn of the last item of a group is forgotten",
    caughtAs: /of its group ahead, and/,
    plant: (store) => new Dropped(store, isGroup),
  },
  {
    name: "no worker calls an idle one",
    caughtAs: /items wait although/,
    plant: (store) => new Dropped(store, calls),
  },
];
