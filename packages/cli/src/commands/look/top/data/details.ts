import { isChannelError, type JobManager, type LogItem, type RunRecord } from "@ojm/core";
import { isScheduleError, type Scheduler } from "@ojm/schedule";
import { reasonsOf, type Why } from "../../reasons.js";

/** The most lines of a log that are held, and how many are read first. */
const MOST_LINES = 2_000;
const FIRST_LINES = 200;

/** The shortest pause between two reads of the reasons, in ms. */
const REST = 1_000;

/** A line of the log of a run, or a place where lines are missing. */
export type Shown = Exclude<LogItem, { readonly progress: unknown }>;

/** Why a job does not run, and the log of its last run, kept up to date. */
export class Details {
  readonly name: string;
  /** The reasons, the most important first, each with what to do. */
  reasons: readonly Pick<Why, "text" | "help">[] | undefined;
  /** The run whose log is shown. */
  run: RunRecord | undefined;
  log: Shown[] = [];
  readonly #manager: JobManager;
  readonly #scheduler: Scheduler;
  readonly #onChange: () => void;
  readonly #closing: AbortController = new AbortController();
  #following: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isStale = false;

  constructor(name: string, manager: JobManager, scheduler: Scheduler, onChange: () => void) {
    this.name = name;
    this.#manager = manager;
    this.#scheduler = scheduler;
    this.#onChange = onChange;
    void this.#lookAgain();
  }

  /** Called when something changed in the store. */
  changed(): void {
    this.#isStale = true;
    if (this.#timer !== undefined || this.#closing.signal.aborted) return;
    this.#timer = setTimeout(() => {
      if (this.#isStale) void this.#lookAgain();
      else this.#timer = undefined;
    }, REST);
  }

  end(): void {
    this.#closing.abort();
    this.#following?.abort();
    clearTimeout(this.#timer);
  }

  async #lookAgain(): Promise<void> {
    this.#isStale = false;
    try {
      this.reasons = await reasonsOf(this.#scheduler, this.#manager, this.name);
      for await (const run of this.#manager.history({ name: this.name, limit: 1 })) {
        const isOther = run.id !== this.run?.id;
        this.run = run;
        if (isOther && !this.#closing.signal.aborted) void this.#follow(run);
      }
    } catch (error) {
      // The screen reports an unreachable store, and its return calls `changed`, which reads again.
      if (!isChannelError(error) && !isScheduleError(error)) throw error;
    }
    this.#timer = undefined;
    if (this.#closing.signal.aborted) return;
    this.#onChange();
    if (this.#isStale) this.changed();
  }

  async #follow(run: RunRecord): Promise<void> {
    this.#following?.abort();
    const following = new AbortController();
    this.#following = following;
    const { signal } = following;
    this.log = [];
    try {
      for await (const item of this.#manager.log(run, { follow: true, tail: FIRST_LINES, signal })) {
        if ("progress" in item) continue;
        this.log.push(item);
        if (this.log.length > MOST_LINES) this.log.shift();
        this.#onChange();
      }
    } catch {
      // Without a log, the reasons are still shown.
    }
  }
}
