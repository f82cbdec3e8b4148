import { hostname } from "node:os";
import type { JobManager, Progress, RunRecord } from "@ojm/core";
import { expectNoMore } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { type Column, printItems } from "../../output/items.js";
import { sayProgress } from "../../output/progress.js";
import { sayAttempt, sayDuration, sayTime } from "../../output/times.js";
import { withStore } from "../../store/open.js";

/** From how many of the last runs it is told how long a job usually takes. */
const USUAL = 20;

/** A run that goes on. */
interface Running extends RunRecord {
  /** For how long it runs, in ms, by the clock of this machine. */
  readonly elapsed: number;
  /** How long half of the last runs took that completed, in ms. */
  readonly usual?: number;
  readonly progress?: Progress;
  /** How many wait for its lock. */
  readonly waiting: number;
}

/** Shows what runs now. */
export async function execute(given: Given): Promise<number> {
  expectNoMore(given);
  const say = sayTime(given);
  const columns: Column<Running>[] = [
    { title: "RUN", cell: ({ name }) => name },
    { title: "WHERE", cell: ({ holder: { host, pid } }) => `${host === hostname() ? "" : `${host}, `}pid ${pid}` },
    { title: "SINCE", cell: ({ startTime }) => say(startTime) },
    { title: "ELAPSED", cell: elapsed },
    { title: "PROGRESS", cell: ({ progress }) => progress && sayProgress(progress) },
    { title: "ATTEMPT", cell: sayAttempt },
    { title: "WAITING", cell: ({ waiting }) => (waiting === 0 ? "" : String(waiting)) },
    { title: "FENCE", cell: ({ fence }) => fence },
  ];
  return withStore(given, async (manager) => {
    printItems(given, await running(manager), columns, "nothing runs");
    return undefined;
  });
}

function elapsed({ elapsed: ms, usual }: Running): string {
  return usual === undefined ? sayDuration(ms) : `${sayDuration(ms)} of ${sayDuration(usual)}`;
}

async function running(manager: JobManager): Promise<Running[]> {
  const [runs, locks] = await Promise.all([manager.running(), manager.locks()]);
  const waiting = new Map(locks.map((lock) => [lock.name, lock.waiting]));
  const now = Date.now();
  return Promise.all(
    runs.map(async (run): Promise<Running> => {
      const [usual, progress] = await Promise.all([usually(manager, run.name), manager.progress(run)]);
      return {
        ...run,
        elapsed: Math.max(0, now - run.startTime),
        ...(usual !== undefined && { usual }),
        ...(progress !== undefined && { progress }),
        waiting: waiting.get(run.name) ?? 0,
      };
    }),
  );
}

async function usually(manager: JobManager, name: string): Promise<number | undefined> {
  const took: number[] = [];
  for await (const { status, duration } of manager.history({ name, limit: USUAL })) {
    if (status === "completed" && duration !== undefined) took.push(duration);
  }
  return took.sort((a, b) => a - b)[Math.floor(took.length / 2)];
}
