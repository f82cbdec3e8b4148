import {
  type Backend,
  type BackendType,
  type CallOptions,
  type Clock,
  type Commit,
  type CommitOutcome,
  isChannelError,
  type StoredWrite,
  type Supports,
} from "@ojm/core/backend";
import { isLock, isSession } from "../../../packages/core/src/testing/simulation/entry-kinds.js";
import {
  plantedBugs as lockBugs,
  type PlantedBug,
} from "../../../packages/core/src/testing/simulation/planted-bugs.js";
import { PassedOn } from "../../../packages/core/src/testing/stores/passed-on.js";
import { plantedBugs as queueBugs } from "../../../packages/queue/src/testing/simulation/planted-bugs.js";
import { plantedBugs as scheduleBugs } from "../../../packages/schedule/src/testing/simulation/planted-bugs.js";
import type { Version, WorkerConfig } from "../scene/events.js";
import { hostTime } from "../scene/time.js";
import type { Journal } from "./journal.js";
import { mixedBugs } from "./mixed-bugs.js";

/** The fence of a lock, in the form that callers see. The harness does not ask the code that is judged. */
const fenceOf = (version: string): string => version.padStart(19, "0");

/**
 * A backend that writes grants and renewals to the journal. So the end of each lease is known without asking
 * the code that is judged.
 */
class Observed extends PassedOn {
  journal: Journal | undefined;
  /**
   * When each renewal was sent, by session and beat. If its answer is lost, a later one may show that it was
   * applied.
   */
  readonly #sent: Map<string, number> = new Map();

  override async commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const sent = hostTime();
    const renewal = commit.writes.find(({ key, ttl }) => isSession(key) && ttl !== undefined);
    if (renewal !== undefined) this.#sent.set(beatOf(renewal.value), sent);
    const lock = commit.writes.find(({ key, value }) => isLock(key) && value !== null);
    const outcome = await super.commit(commit, options).catch((error: unknown) => {
      if (lock !== undefined) this.#unanswered(lock, error);
      throw error;
    });
    if (outcome.ok && lock !== undefined) this.#granted(lock, fenceOf(outcome.version), sent);
    // An aborted attempt counts as unanswered, even if an answer comes later: the next one finds its outcome.
    if (renewal !== undefined && options?.signal?.aborted !== true) this.#renewed(renewal, outcome, sent);
    return outcome;
  }

  #unanswered({ value }: StoredWrite, error: unknown): void {
    const { name, token } = JSON.parse(value ?? "");
    const unknown = isChannelError(error) && error.outcome === "unknown";
    this.journal?.write({ e: "unanswered", name, token, unknown });
  }

  #granted({ value }: StoredWrite, fence: string, sent: number): void {
    const { name, holder, timeout } = JSON.parse(value ?? "");
    this.journal?.write({ e: "granted", name, fence, session: holder.instance, sent, timeout });
  }

  #renewed({ value }: StoredWrite, outcome: CommitOutcome, sent: number): void {
    const session = JSON.parse(value ?? "").id as string;
    if (outcome.ok) {
      this.journal?.write({ e: "renewed", session, sent });
      return;
    }
    const found = outcome.current[0]?.value;
    const earlier = found === undefined ? undefined : this.#sent.get(beatOf(found));
    if (earlier !== undefined) this.journal?.write({ e: "renewed", session, sent: earlier });
  }
}

function beatOf(value: string | null): string {
  const { id, beat } = JSON.parse(value ?? "{}");
  return `${id} ${beat}`;
}

/** The same setup as for a planted bug, without the bug. A check that finds bugs must find nothing here. */
export const NO_BUG = "none";

/** A bug that can be planted in a worker of this version. */
interface Plantable extends Pick<PlantedBug, "name" | "clock"> {
  plant(store: Backend, clock: Clock, version: Version): Backend;
}

/** The bugs of locks, those of schedules and queues for their modes, and those of two versions. */
const allBugs: readonly Plantable[] = [...lockBugs, ...scheduleBugs, ...queueBugs, ...mixedBugs];

/** The bug of that name; `undefined` without one. Throws if the bug does not exist. */
export function bugOf(name: string | undefined): Plantable | undefined {
  const bug = allBugs.find((each) => each.name === name);
  if (name !== undefined && name !== NO_BUG && bug === undefined) throw new Error(`there is no bug "${name}"`);
  return bug;
}

/** As with a planted bug, no watch notifies holders of a loss. */
class Unwatched extends PassedOn {
  override readonly supports: Supports = Object.freeze({ ...this.store.supports, watch: false });
}

/** The backend type `name`, observed. With `bug`, the bug of that name is planted in it. */
export async function observed(
  name: string,
  journal: Journal,
  { bug, version }: Pick<WorkerConfig, "bug" | "version">,
): Promise<BackendType> {
  const { backend } = (await import(`@ojm/${name}`)) as { readonly backend: BackendType };
  const planted = bugOf(bug);
  return {
    type: `observed ${name}`,
    async open(args, context) {
      const store = await backend.open(args, context);
      const plain = bug === NO_BUG ? new Unwatched(store, context.clock) : store;
      const faulty = planted === undefined ? plain : planted.plant(plain, context.clock, version);
      const watched = new Observed(faulty, context.clock);
      watched.journal = journal;
      return watched;
    },
  };
}
