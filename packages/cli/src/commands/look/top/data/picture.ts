import type { NextTick } from "@ojm/schedule";
import type { Problem, Retry } from "@ojm/schedule/operator";
import type { Running } from "../../ps/running.js";
import type { ComingTick } from "../../unattended.js";

/** A coming tick. */
export interface Coming extends ComingTick, Pick<NextTick, "due"> {
  readonly name: string;
}

/** The state of a store at one time. */
export interface Picture {
  /** The name of the store. */
  readonly store: string;
  readonly isComplete: boolean;
  /** For how long the store has not answered, in ms. */
  readonly away: number | undefined;
  readonly processes: number;
  readonly waiting: number;
  readonly failed: { readonly count: number; readonly isMore: boolean };
  /** The schedules by name, and whether each is paused. */
  readonly schedules: ReadonlyMap<string, boolean>;
  readonly problems: readonly Problem[];
  readonly running: readonly Running[];
  /** The ids of the runs that take longer than usual. */
  readonly long: ReadonlySet<string>;
  readonly retrying: readonly Retry[];
  readonly next: readonly Coming[];
}

/** One row for each job: its first problem, followed by its other problems. */
export function onePerJob(problems: readonly Problem[]): Problem[] {
  const jobs = new Map<string, Problem>();
  for (const problem of problems) {
    const first = jobs.get(problem.name);
    jobs.set(problem.name, first === undefined ? problem : { ...first, text: `${first.text}; ${problem.text}` });
  }
  return [...jobs.values()];
}
