import { isOwn, type LiveRun } from "@ojm/core/internal";
import type { Running } from "../contract/types.js";
import { runningOf } from "../view/now/now.js";

/** The most runs that are told: a page with more cannot be read. */
const MOST = 500;

/** What changed since the last look. */
export interface Difference {
  readonly put: Running[];
  readonly gone: string[];
  /** The names of which a run began or ended. */
  readonly names: string[];
}

/** What the streams were told of the runs that go on, and what to tell next. */
export class ToldRuns {
  readonly #told: Map<string, { readonly id: string; readonly text: string }> = new Map();
  readonly #mask: (text: string) => string;

  constructor(mask: (text: string) => string) {
    this.#mask = mask;
  }

  /** The names of the runs that were told. */
  names(): IterableIterator<string> {
    return this.#told.keys();
  }

  /** Everything that runs, told anew. */
  all(runs: readonly LiveRun[], now: number): Running[] {
    this.#told.clear();
    return shown(runs).map((run) => this.#tell(run, now));
  }

  /** The same for one who comes later. The others are told of what changed all the same. */
  view(runs: readonly LiveRun[], now: number): Running[] {
    return shown(runs).map((run) => runningOf(run, now, { mask: this.#mask }));
  }

  /** What changed of these names. `find`: the run of a name that goes on. */
  difference(names: Iterable<string>, find: (name: string) => LiveRun | undefined, now: number): Difference {
    const difference: Difference = { put: [], gone: [], names: [] };
    for (const name of names) if (!isOwn(name)) this.#compare(name, find(name), now, difference);
    return difference;
  }

  #compare(name: string, run: LiveRun | undefined, now: number, { put, gone, names }: Difference): void {
    const before = this.#told.get(name);
    if (before !== undefined && before.id !== run?.id) {
      gone.push(before.id);
      this.#told.delete(name);
    }
    // Also of a run that began and ended between two looks.
    if (run === undefined || before?.id !== run.id) names.push(name);
    if (run === undefined || (!this.#told.has(name) && this.#told.size >= MOST)) return;
    const running = this.#tell(run, now);
    if (before?.id !== run.id || before.text !== this.#told.get(name)?.text) put.push(running);
  }

  #tell(run: LiveRun, now: number): Running {
    const running = runningOf(run, now, { mask: this.#mask });
    this.#told.set(run.name, { id: run.id, text: JSON.stringify({ ...running, elapsed: 0 }) });
    return running;
  }
}

function shown(runs: readonly LiveRun[]): readonly LiveRun[] {
  return runs.filter(({ name }) => !isOwn(name)).slice(0, MOST);
}
