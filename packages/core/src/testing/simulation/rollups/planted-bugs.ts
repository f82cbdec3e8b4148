import type {
  CallOptions,
  Commit,
  CommitOutcome,
  ScanPage,
  ScanRequest,
  StoredWrite,
} from "../../../channel/backend/backend.js";
import { ChannelError } from "../../../channel/errors.js";
import { PassedOn } from "../../stores/passed-on.js";
import { isFold, isOpen, isRollup } from "../entry-kinds.js";
import type { PlantedBug } from "../planted-bugs.js";

/* Bugs of code that folds records into rollups, planted between ojm and the store. */

abstract class Forgetful extends PassedOn {
  override commit({ checks, writes }: Commit, options?: CallOptions): Promise<CommitOutcome> {
    return super.commit({ checks, writes: writes.filter((write) => !this.forgets(write)) }, options);
  }

  /** Whether a write is left out. */
  abstract forgets(write: StoredWrite): boolean;
}

/** The fold passes an open run, and does not remember it. */
class OpenForgotten extends Forgetful {
  forgets({ key, value }: StoredWrite): boolean {
    return isOpen(key) && value !== null;
  }
}

/** A run that is already in a cell is still remembered as open. */
class OpenKept extends Forgetful {
  forgets({ key, value }: StoredWrite): boolean {
    return isOpen(key) && value === null;
  }
}

/** No check finds the records that were written behind the cursor. */
class LateOverlooked extends PassedOn {
  override async scan(request: ScanRequest, options?: CallOptions): Promise<ScanPage> {
    const page = await super.scan(request, options);
    if (!request.from.startsWith("oJobManager-times [") || isRollup(request.from)) return page;
    return { ...page, entries: page.entries.map((entry) => ({ ...entry, version: "0" })) };
  }
}

/** The cursor moves in one commit. The passed cells are in the next one, which often does not come. */
class CursorFirst extends PassedOn {
  override async commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const cells = commit.writes.filter(({ key }) => isRollup(key));
    if (cells.length === 0 || !commit.writes.some(({ key }) => isFold(key))) return super.commit(commit, options);
    const others = commit.writes.filter(({ key }) => !isRollup(key));
    const outcome = await super.commit({ checks: commit.checks, writes: others }, options);
    if (!outcome.ok) return outcome;
    if (this.clock.random(1) < "i") throw new ChannelError("UNAVAILABLE", "the store is away", { retryable: true });
    await super.commit({ checks: [], writes: cells }, options);
    return outcome;
  }
}

const CAUGHT = /^the rollups count /;

/** All planted bugs of rollups. */
export const plantedRollupBugs: readonly PlantedBug[] = [
  {
    name: "a run that is running when the fold passes is not remembered",
    caughtAs: CAUGHT,
    plant: (store, clock) => new OpenForgotten(store, clock),
  },
  {
    name: "a run that a cell counts is still remembered as open",
    caughtAs: CAUGHT,
    plant: (store, clock) => new OpenKept(store, clock),
  },
  {
    name: "a record that appears behind the cursor of the fold is overlooked",
    caughtAs: CAUGHT,
    plant: (store, clock) => new LateOverlooked(store, clock),
  },
  {
    name: "the cursor of the fold moves before the cells are written",
    caughtAs: CAUGHT,
    plant: (store, clock) => new CursorFirst(store, clock),
  },
];
