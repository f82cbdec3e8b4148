import { backend as sqlite } from "@ojm/sqlite";
import { fleetOf } from "./fleet/fleet.js";
import { type Stage, storyOf } from "./story.js";
import { WeekClock } from "./world/clock.js";
import { DemoProcess } from "./world/process.js";
import { WeekStore } from "./world/store.js";
import { timesOf } from "./world/times.js";

/** The options of a week. */
export interface WeekOptions {
  /** The SQLite file. */
  readonly file: string;
  readonly seed: number;
  readonly days: number;
  /** When the week ends, in ms since 1970. */
  readonly end: number;
  /** Called after each scene, with the part of the week that is over, from 0 to 1. */
  readonly onProgress?: (part: number) => void;
}

/**
 * Makes a store with a simulated week: managers and schedulers run a fleet of jobs, by a clock that skips the
 * time in which nothing happens. Equal options make equal weeks.
 */
export async function makeWeek({ file, seed, days, end, onProgress = () => {} }: WeekOptions): Promise<void> {
  const times = timesOf(end, days);
  const clock = new WeekClock(times.start, end, seed);
  const database = await sqlite.open({ file }, { clock });
  try {
    const store = new WeekStore(database);
    clock.restBy(() => store.rest());
    const jobs = fleetOf(times);
    let processes: DemoProcess[] = [];
    const stage: Stage = {
      async start(instance) {
        const one = await DemoProcess.start(instance, store, clock);
        await one.add(jobs, seed, times);
        processes.push(one);
      },
      killHolderOf(job) {
        const victim = processes.find(({ running }) => running.has(job));
        victim?.kill();
        processes = processes.filter((one) => one !== victim);
      },
      killAll() {
        for (const one of processes) one.kill();
        processes = [];
      },
      async operator(act) {
        const one = await DemoProcess.start("operator", store, clock);
        await act(one);
        await one.close();
      },
    };
    for (const { at, what } of storyOf(times)) {
      await clock.advanceTo(at);
      await clock.until(Promise.resolve(what(stage)));
      onProgress((at - times.start) / (end - times.start));
    }
    await clock.advanceTo(end - 1_000);
    for (const one of processes) await clock.until(one.close());
    onProgress(1);
  } finally {
    await database.close();
  }
}
