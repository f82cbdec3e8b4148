import type { JobManager } from "../../../jobs/manager.js";
import type { RunRecord } from "../../../jobs/types.js";
import type { Rollups } from "../../../operator/rollups/types.js";

const DAY = 86_400_000;
const SIZE = { hour: 3_600_000, minute: 60_000 } as const;
type By = keyof typeof SIZE;

/** The inputs of the check at the end of a simulation. */
interface Checked {
  readonly by: By;
  /** Whether the store may have lost records that were counted. */
  readonly forgets: boolean;
  /** The records that were pruned, perhaps before the first query: a cell may count them. */
  readonly pruned: readonly RunRecord[];
}

/** Queries all rollups of a simulation. Folds the remaining records, if it is this process's turn. */
export function askRollups(manager: JobManager, now: number, by: By = "minute"): Promise<Rollups> {
  return manager.rollups({ from: now - 2 * DAY, to: now + 2 * DAY, by });
}

/** The number of runs that an answer counts. */
export function countOf({ jobs }: Rollups): number {
  const cells = jobs.flatMap((job) => job.cells);
  return cells.flatMap(({ runs }) => Object.values(runs)).reduce((sum, count) => sum + count, 0);
}

/** Throws unless the cells count each record once, with its status and its duration. */
export function checkCells(
  records: readonly RunRecord[],
  { jobs, missing }: Rollups,
  { by, forgets, pruned }: Checked,
): void {
  if (missing !== undefined) throw new Error(`the rollups lack the runs of ${JSON.stringify(missing)}`);
  const counted = new Map<string, number>();
  const add = (to: Map<string, number>, what: string, n: number): void => void to.set(what, (to.get(what) ?? 0) + n);
  for (const { name, cells } of jobs)
    for (const { at, runs, busy } of cells) {
      for (const [status, n] of Object.entries(runs)) add(counted, `${name} ${at} ${status}`, n);
      add(counted, `${name} ${at} busy`, busy);
    }
  const [recorded, gone] = [records, pruned].map((all) => {
    const sums = new Map<string, number>();
    for (const { name, startTime, status, duration = 0 } of all) {
      const cell = `${name} ${Math.floor(startTime / SIZE[by]) * SIZE[by]}`;
      add(sums, `${cell} ${status}`, 1);
      add(sums, `${cell} busy`, duration);
    }
    return sums;
  }) as [Map<string, number>, Map<string, number>];
  for (const what of new Set([...counted.keys(), ...recorded.keys()])) {
    const [told = 0, kept = 0] = [counted.get(what), recorded.get(what)];
    const most = kept + (gone.get(what) ?? 0);
    if (told < kept || (told > most && !forgets))
      throw new Error(`the rollups count ${told} of ${what}, the records ${kept}`);
  }
}
