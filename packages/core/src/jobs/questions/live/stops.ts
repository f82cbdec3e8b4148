import type { Channel } from "../../../channel/channel.js";
import { isChannelError } from "../../../channel/errors.js";
import { AGAIN } from "../../../channel/watch/follow.js";
import type { LocksValue } from "../../../locks/entries/schema.js";
import type { Clock } from "../../../util/clock.js";
import { stopsAskedOf } from "../../requests/audit.js";
import { type RunRef, runId } from "../../run-id.js";
import type { AuditEntry } from "../../types.js";

/** A run that somebody may ask to stop. */
export interface Stoppable extends RunRef {
  readonly instance: string;
  readonly over: AbortController;
  asked?: AuditEntry;
}

/**
 * Who asked which run to stop. The watch of the sessions tells that somebody asked a process: the audit is
 * read only then, and once for all runs that are known at first.
 */
export class LiveStops {
  readonly #locks: Channel<LocksValue>;
  readonly #clock: Clock;
  readonly #tell: (name: string) => void;
  /** The processes that were asked: a run of them may become known after its request. */
  readonly #processes: Set<string> = new Set();
  readonly #unread: Set<Stoppable> = new Set();
  #reading: Promise<void> | undefined;

  constructor(locks: Channel<LocksValue>, clock: Clock, tell: (name: string) => void) {
    this.#locks = locks;
    this.#clock = clock;
    this.#tell = tell;
  }

  /** A run became known. */
  began(run: Stoppable): void {
    if (this.#processes.has(run.instance)) void this.look([run]);
  }

  /** Somebody asked something of a process. */
  asked(instance: string, runs: Iterable<Stoppable>): void {
    this.#processes.add(instance);
    void this.look([...runs].filter((run) => run.instance === instance));
  }

  /** Reads who asked these runs to stop. Resolves at once if the store is away: it is read later then. */
  look(runs: Iterable<Stoppable>): Promise<void> {
    for (const run of runs) this.#unread.add(run);
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    while (this.#unread.size > 0) {
      const runs = [...this.#unread].filter(({ over }) => !over.signal.aborted);
      this.#unread.clear();
      try {
        await this.#readOf(runs);
      } catch (error) {
        if (!isChannelError(error) || !error.retryable) return;
        for (const run of runs) this.#unread.add(run);
        this.#clock.after(AGAIN, () => void this.look([]));
        return;
      }
    }
  }

  async #readOf(runs: readonly Stoppable[]): Promise<void> {
    const asked = await stopsAskedOf(
      this.#locks,
      runs.map(({ name, startTime }) => ({ name, startTime, id: runId({ name, startTime }) })),
    );
    for (const run of runs) {
      const entry = asked.get(runId(run));
      if (entry === undefined) continue;
      run.asked = entry;
      this.#tell(run.name);
    }
  }
}
