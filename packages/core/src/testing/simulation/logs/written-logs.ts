import type { JobManager } from "../../../jobs/manager.js";
import type { Run } from "../../../jobs/types.js";
import { faultsOf } from "../../logs.js";
import { collect } from "../../settle.js";

/** The log of a run, as its body wrote it. */
interface Written {
  readonly run: Run;
  lines: number;
}

const textOf = (n: number): string => `line ${n} ${"y".repeat(n % 50)}`;

/**
 * The lines that were written into the logs of runs. A reader gets the start and the end of a log: each line
 * at its place, and a count of the missing ones.
 */
export class WrittenLogs {
  /** By the id of the run. */
  readonly #written: Map<string, Written> = new Map();

  /** Writes this many lines into the log of a run. */
  write(run: Run, lines: number): void {
    const written = this.#written.get(run.id) ?? { run, lines: 0 };
    // A store that forgot the first run has assigned its id again.
    if (written.run !== run) return;
    this.#written.set(run.id, written);
    for (let i = 0; i < lines; i++) run.log.info(textOf(++written.lines));
  }

  /** The ids of the runs that have written. */
  get ids(): string[] {
    return [...this.#written.keys()];
  }

  /** Throws if a log is not correct. With `all`, it must reach its last line, or report the gap. */
  async check(manager: JobManager, id: string, all: boolean): Promise<void> {
    const items = await collect(manager.log(id));
    const { lines = 0 } = this.#written.get(id) ?? {};
    const known = items.filter((item) => !("missing" in item && item.missing === "unknown"));
    let last = 0;
    for (const item of known) {
      if ("text" in item) last = item.line;
      else if ("missing" in item && item.missing !== "unknown") last += item.missing.lines;
    }
    const [fault] = faultsOf(known, last, textOf);
    if (fault !== undefined) throw new Error(`the log of ${id} is wrong: ${fault}`);
    if (last > lines) throw new Error(`the log of ${id} has ${last} lines, and ${lines} were written`);
    // If nothing of a log reached the store, a reader cannot know about it.
    if (!all || last === lines || known.length < items.length || items.length === 0) return;
    throw new Error(`the log of ${id} ends after ${last} of ${lines} lines, as if it were complete`);
  }
}
