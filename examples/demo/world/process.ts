import { type JobManager, openJobManager } from "@ojm/core";
import { openScheduler, type Scheduler } from "@ojm/schedule";
import { type DemoJob, Work } from "../fleet/job.js";
import { MortalClock, SLOWER, type WeekClock } from "./clock.js";
import type { Way, WeekStore } from "./store.js";
import type { Times } from "./times.js";

/** The time to live of a session, by default, in ms. */
const TTL = 15_000;

/** How long the lines of a log wait, in ms: no reader follows a log in the simulation. */
const LOGS = 600_000;

/** A simulated process: a manager and a scheduler of its own, which may die. */
export class DemoProcess {
  readonly manager: JobManager;
  readonly scheduler: Scheduler;
  /** The names of the jobs that it runs. */
  readonly running: Set<string> = new Set();
  readonly #way: Way;
  readonly #clock: MortalClock;

  private constructor(manager: JobManager, scheduler: Scheduler, way: Way, clock: MortalClock) {
    this.manager = manager;
    this.scheduler = scheduler;
    this.#way = way;
    this.#clock = clock;
  }

  static async start(instance: string, store: WeekStore, clock: WeekClock): Promise<DemoProcess> {
    const [way, own] = [store.way(), new MortalClock(clock)];
    const channel = { backend: way };
    const settings = { clock: own, ttl: TTL * SLOWER, logBudget: { interval: LOGS } };
    const manager = await openJobManager({ chJobs: channel, chLocks: channel, ...settings });
    return new DemoProcess(manager, openScheduler(manager, { clock: own, instance }), way, own);
  }

  /** Runs these jobs at their ticks. */
  async add(jobs: readonly DemoJob[], seed: number, times: Times): Promise<void> {
    for (const job of jobs) {
      await this.scheduler.add(job.name, job.definition, async (run) => {
        this.running.add(job.name);
        try {
          return await job.body(new Work(run, this.#clock, seed, times));
        } finally {
          this.running.delete(job.name);
        }
      });
    }
  }

  /** Kills the process: it does nothing any more, and no other process is notified. */
  kill(): void {
    this.#clock.kill();
    this.#way.cut();
  }

  /** Ends the process in an orderly way. */
  async close(): Promise<void> {
    await this.scheduler.close({ grace: 60_000 });
    await this.manager.close();
  }
}
