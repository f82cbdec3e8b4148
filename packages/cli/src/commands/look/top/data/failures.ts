import { isChannelError, type JobManager, type RunRecord } from "@ojm/core";
import { isOwn } from "@ojm/core/internal";

const HOUR = 3_600_000;

/** The most failures that are read: an hour of a job that fails each second must not hold the screen up. */
const MOST = 100;

/** The least time between two reads, in ms. */
const REST = 1_000;

/** What ended in error in the last hour. It reads after changes only: a quiet store is left alone. */
export class LiveFailures {
  readonly #manager: JobManager;
  readonly #onChange: () => void;
  #failures: readonly RunRecord[] = [];
  /** The last run of each job whose last run failed. */
  #open: readonly RunRecord[] = [];
  /** The last run of each name that is asked for. */
  #last: ReadonlyMap<string, RunRecord> = new Map();
  #asked: readonly string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isReading = false;
  #isStale = false;
  #isOver = false;

  constructor(manager: JobManager, onChange: () => void) {
    this.#manager = manager;
    this.#onChange = onChange;
  }

  /** Something changed in the store: a run may have failed. */
  changed(): void {
    this.#isStale = true;
    if (this.#isOver || this.#timer !== undefined || this.#isReading) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#readAgain();
    }, REST);
  }

  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  /** How many runs failed in the last hour: all, or at least so many. */
  count(now: number): { readonly count: number; readonly isMore: boolean } {
    const count = this.#failures.filter(isSince(now - HOUR)).length;
    return { count, isMore: count === MOST };
  }

  /** The newest failure of each name in the last hour, if it was not followed by a run that went well. */
  open(now: number): readonly RunRecord[] {
    return this.#open.filter(isSince(now - HOUR));
  }

  /** The last runs of these names, as far as they were read: those of other names are read next. */
  lastOf(names: readonly string[]): ReadonlyMap<string, RunRecord> {
    const asked = names.slice(0, MOST);
    if (asked.join("\n") !== this.#asked.join("\n")) {
      this.#asked = asked;
      this.changed();
    }
    return this.#last;
  }

  async #readAgain(): Promise<void> {
    this.#isReading = true;
    this.#isStale = false;
    try {
      await this.read();
    } catch (error) {
      // A store that is away is told of elsewhere, and its return is a change.
      if (!isChannelError(error)) throw error;
    } finally {
      this.#isReading = false;
      if (this.#isStale) this.changed();
    }
  }

  /** Reads what failed. */
  async read(): Promise<void> {
    const found: RunRecord[] = [];
    for await (const run of this.#manager.failures({ from: Date.now() - HOUR, limit: MOST })) {
      // Somebody wanted a cancelled run to end.
      if (run.status !== "cancelled" && !isOwn(run.name)) found.push(run);
    }
    const open = await this.#manager.failing({ from: Date.now() - HOUR });
    this.#last = new Map((await Promise.all(this.#asked.map((name) => this.#lastRun(name)))).flat());
    this.#failures = found;
    this.#open = open.filter(({ name }) => !isOwn(name));
    this.#onChange();
  }

  async #lastRun(name: string): Promise<[string, RunRecord][]> {
    for await (const run of this.#manager.history({ name, limit: 1 })) return [[name, run]];
    return [];
  }
}

function isSince(time: number): (run: RunRecord) => boolean {
  return ({ startTime, endTime = startTime }) => endTime >= time;
}
