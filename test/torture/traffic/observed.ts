import type { BackendType, CallOptions, Commit, CommitOutcome, StoredWrite, Supports } from "@ojm/core/backend";
import { isLock, isSession } from "../../../packages/core/src/testing/simulation/entry-kinds.js";
import { plantedBugs } from "../../../packages/core/src/testing/simulation/planted-bugs.js";
import { PassedOn } from "../../../packages/core/src/testing/stores/passed-on.js";
import { hostTime } from "../scene/time.js";
import type { Journal } from "./journal.js";

/**
 * A backend whose grants and renewals are written down, so that the end of each lease is known without asking
 * the locks.
 */
class Observed extends PassedOn {
  journal: Journal | undefined;
  /**
   * When each renewal was sent, by the session and the number of its beat: one whose answer was lost may be
   * found out about later.
   */
  readonly #sent: Map<string, number> = new Map();

  override async commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const sent = hostTime();
    const renewal = commit.writes.find(({ key, ttl }) => isSession(key) && ttl !== undefined);
    if (renewal !== undefined) this.#sent.set(beatOf(renewal.value), sent);
    const lock = commit.writes.find(({ key, value }) => isLock(key) && value !== null);
    const outcome = await super.commit(commit, options).catch((error: unknown) => {
      if (lock !== undefined) this.journal?.write({ e: "unanswered", name: JSON.parse(lock.value ?? "").name });
      throw error;
    });
    if (outcome.ok && lock !== undefined) this.#granted(lock, outcome.version, sent);
    // An attempt that was given up was not answered, whatever comes later: the next one finds out what became
    // of it.
    if (renewal !== undefined && options?.signal?.aborted !== true) this.#renewed(renewal, outcome, sent);
    return outcome;
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

/**
 * The store of a process with a planted bug, without the bug: whoever finds the bug must not find anything
 * here.
 */
export const NO_BUG = "none";

/** As they are with a planted bug: holders are told of nothing by watch. */
class Unwatched extends PassedOn {
  override readonly supports: Supports = Object.freeze({ ...this.store.supports, watch: false });
}

/** The type `name`, observed; with the planted bug of that name, if one is given. */
export async function observed(name: string, journal: Journal, bug?: string): Promise<BackendType> {
  const { backend } = (await import(`@ojm/${name}`)) as { readonly backend: BackendType };
  const planted = plantedBugs.find((each) => each.name === bug);
  if (bug !== undefined && bug !== NO_BUG && planted === undefined) throw new Error(`there is no bug "${bug}"`);
  return {
    type: `observed ${name}`,
    async open(args, context) {
      const store = await backend.open(args, context);
      const plain = bug === NO_BUG ? new Unwatched(store, context.clock) : store;
      const faulty = planted === undefined ? plain : planted.plant(plain, context.clock);
      const watched = new Observed(faulty, context.clock);
      watched.journal = journal;
      return watched;
    },
  };
}
