import type {
  CallOptions,
  Commit,
  CommitOutcome,
  ScanPage,
  ScanRequest,
  StoredEntry,
} from "../../channel/backend/backend.js";
import { decodeKey, encodeKey } from "../../channel/encoding/key.js";
import { isLock, isRecord, isRetry } from "./entry-kinds.js";
import { Planted, type PlantedBug } from "./planted-bugs.js";

/* Bugs of code that prunes old records, planted between ojm and the store. */

const prunes = ({ writes }: Commit): boolean => writes.some(({ key, value }) => isRecord(key) && value === null);

/** The prefix of the keys of the index by start time. */
const TIMES = "oJobManager-times ";

/** The prefix of the keys of the records of one name. */
const nameOf = (key: string): string => key.slice(0, key.indexOf("startTime"));

/** Prunes one record more together with those of a name. */
abstract class PrunesMore extends Planted {
  /** Chooses one of the records of a name, which are sorted newest first. */
  protected abstract choose(newest: readonly StoredEntry[]): StoredEntry | undefined;

  override async commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const first = commit.writes.find(({ key, value }) => isRecord(key) && value === null);
    if (!prunes(commit) || first === undefined) return super.commit(commit, options);
    const from = nameOf(first.key);
    const range = { from, to: `${from}\uFFFF`, reverse: true, limit: 10, values: true };
    const more = this.choose((await this.store.scan(range, options)).entries);
    const isThere = more === undefined || commit.writes.some(({ key }) => key === more.key);
    const writes = isThere ? commit.writes : [...commit.writes, { key: more.key, value: null }];
    return super.commit({ checks: commit.checks, writes }, options);
  }
}

class PrunesOpenRun extends PrunesMore {
  protected choose(newest: readonly StoredEntry[]): StoredEntry | undefined {
    return newest.find(({ value }) => JSON.parse(value).status === "running");
  }
}

class PrunesNewest extends PrunesMore {
  protected choose(newest: readonly StoredEntry[]): StoredEntry | undefined {
    return newest[1];
  }
}

/** Trusts only the wall clock of the process: the history seems to have runs of each time. */
class ByOwnClock extends Planted {
  override async scan(request: ScanRequest, options?: CallOptions): Promise<ScanPage> {
    const { to, reverse, limit } = request;
    if (!reverse || limit > 1 || !to.startsWith(`${TIMES}[=`)) return super.scan(request, options);
    const [before = 0] = decodeKey(to.slice(TIMES.length)) as readonly number[];
    const key = TIMES + encodeKey([Math.floor(before) - 1, "a"]);
    return { entries: [{ key, value: "0", version: "1" }], more: false };
  }
}

/** Prunes the attempts of a retry series while the next one is pending or running. */
class ChainNotOver extends Planted {
  override async read(keys: readonly string[], options?: CallOptions): Promise<(StoredEntry | undefined)[]> {
    const entries = await super.read(keys, options);
    return keys.some(isRetry) && keys.some(isLock) ? entries.map(() => undefined) : entries;
  }
}

/** All planted bugs of the retention. */
export const plantedRetentionBugs: readonly PlantedBug[] = [
  {
    name: "the retention prunes a run that is not over",
    caughtAs: /is pruned while it is running/,
    plant: (store, clock) => new PrunesOpenRun(store, clock),
  },
  {
    name: "the retention prunes one of the newest runs of a name",
    caughtAs: /is pruned, which has \d newer ones/,
    plant: (store, clock) => new PrunesNewest(store, clock),
  },
  {
    name: "the retention goes by the clock of its process alone",
    caughtAs: /is pruned, and the history has continued for \d parts since/,
    plant: (store, clock) => new ByOwnClock(store, clock),
  },
  {
    name: "the retention prunes the attempts of a chain that is not over",
    caughtAs: /is pruned, and its chain is not over/,
    plant: (store, clock) => new ChainNotOver(store, clock),
  },
];
