import { type CloseOptions, Grace } from "../../locks/grace.js";
import { whenAborted } from "../../util/abort.js";
import { InFlight } from "../../util/event-loop.js";
import type { RunContext } from "./context.js";
import type { OpenRun } from "./open-run.js";

/** Why a run ended when its process closed: after its body began, or before. */
export const CLOSED = "its process closed before the run ended";
export const NOT_BEGUN = "its process closed when it was started: its body did not begin";

/** The parts of a {@link RunContext} that all groups of a manager share. */
type SharedContext = Omit<RunContext, "starting" | "closing" | "waitUntil" | "onOpen" | "onOver">;

/**
 * Runs that are closed together: all runs of a manager, or only those of one of its schedulers.
 *
 * A closing group starts nothing more. It signals its runs to end, and keeps their locks until their job
 * functions have returned. A run that is still active after the grace is closed as `lost`.
 */
export class RunGroup {
  readonly context: RunContext;
  readonly grace: Grace;
  readonly #closing: AbortController = new AbortController();
  readonly #starting: InFlight;
  readonly #running: InFlight = new InFlight();
  readonly #open: Set<OpenRun> = new Set();
  readonly #forget: () => void = () => {};
  #ended: Promise<void> | undefined;

  /** `above`: the group that this one is a part of. It closes this one too. */
  constructor(shared: SharedContext, above?: RunGroup) {
    this.grace = new Grace(shared.clock);
    this.#starting = new InFlight(above?.context.starting);
    this.context = {
      ...shared,
      starting: this.#starting,
      closing: this.#closing.signal,
      ...(above && { waitUntil: this.#closing.signal }),
      onOpen: (run) => {
        this.#open.add(run as OpenRun);
        this.#running.begin();
        above?.context.onOpen(run);
      },
      onOver: (run) => {
        if (this.#open.delete(run as OpenRun)) this.#running.end();
        above?.context.onOver(run);
      },
    };
    if (above !== undefined) this.#forget = whenAborted(above.context.closing, () => this.stop());
  }

  /** Starts nothing any more. Pending attempts are left to other processes. Active runs continue. */
  stop(): void {
    this.#closing.abort();
    this.#forget();
  }

  /** Ends the runs within a grace. A later call joins, and may shorten the grace. */
  async close(options: CloseOptions = {}): Promise<void> {
    this.grace.limit(options);
    return this.end().finally(() => this.grace.stop());
  }

  /** Signals all runs to end, and waits for them until the grace is over. The remaining runs are `lost`. */
  end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    this.stop();
    for (const run of this.#open) run.interrupt();
    await this.grace.wait(this.#none());
    await this.#starting.none();
    await this.abandon(CLOSED);
  }

  /** Resolves once no run is starting or active. */
  async #none(): Promise<void> {
    await this.#starting.none();
    await this.#running.none();
  }

  /** Closes the open runs as `lost`. Resolves to whether there were any. */
  async abandon(why: string): Promise<boolean> {
    const runs = [...this.#open];
    await Promise.allSettled(runs.map((run) => run.abandon(why)));
    return runs.length > 0;
  }
}
