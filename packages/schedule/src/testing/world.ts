import type { JobManager, Run, RunRecord } from "@ojm/core";
import { collect } from "../../../core/src/testing/settle.js";
import type { FaultyBackend } from "../../../core/src/testing/stores/faulty-backend.js";
import { World as CoreWorld, type ManagerSettings } from "../../../core/src/testing/world.js";
import type { ScheduleTick } from "../control/ticks.js";
import type { Body } from "../fire/start.js";
import { openScheduler, type Scheduler } from "../scheduler.js";

/** A scheduler of a world, with its manager and its way to the store. */
export interface SchedulerOf {
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly manager: JobManager;
  readonly way: FaultyBackend;
  /** Its runs, as `name of the scheduler tick`. */
  readonly ran: string[];
  /** A body that notes its run and takes this time. */
  body(takes?: number): Body;
}

/** A store in memory with its own time, and schedulers that share it. */
export class World extends CoreWorld {
  /** The runs of all schedulers, in order: the time, and the scheduler. */
  readonly ran: string[] = [];
  readonly #schedulers: SchedulerOf[] = [];

  constructor(start = "2030-01-01T00:00:00Z") {
    super();
    this.clock.wall = Date.parse(start) - 1_000;
  }

  async scheduler(name: string, settings: ManagerSettings = {}): Promise<SchedulerOf> {
    const { manager, way } = await this.manager(settings);
    const scheduler = openScheduler(manager, { clock: this.clock, instance: name });
    const ran: string[] = [];
    const body =
      (takes = 0): Body =>
      async (run: Run) => {
        ran.push(this.time());
        this.ran.push(`${this.time()} ${name}`);
        if (takes === 0) return;
        await new Promise<void>((resolve) => {
          this.clock.after(takes, resolve);
          run.signal.addEventListener("abort", () => resolve());
        });
      };
    const one = { name, scheduler, manager, way, ran, body };
    this.#schedulers.push(one);
    return one;
  }

  /** The time, to the second. */
  time(at: number = this.clock.now()): string {
    return new Date(at).toISOString().slice(11, 19);
  }

  /** Lets time pass up to this time of the day. */
  async until(time: string): Promise<void> {
    const day = new Date(this.clock.now()).toISOString().slice(0, 10);
    await this.clock.advance(Date.parse(`${day}T${time}Z`) - this.clock.now());
  }

  /** The process dies: none of its calls reaches the store any more. */
  kill({ way }: SchedulerOf): void {
    way.heard = () => new Promise(() => {});
    way.fault = () => ({ type: "request lost" });
  }

  async ticks({ scheduler }: SchedulerOf, name = "a"): Promise<string[]> {
    const ticks = await this.clock.until(collect(scheduler.ticks(name)));
    return ticks.reverse().map((tick) => this.tickText(tick));
  }

  tickText({ at, until, count, outcome, reason, by }: ScheduleTick): string {
    const times = until === undefined ? this.time(at) : `${this.time(at)}-${this.time(until)} (${count})`;
    if (outcome === "waiting") return `${times} waiting`;
    return `${times} ${outcome === "run" ? `run by ${by?.instance}` : `${outcome} ${reason}`}`;
  }

  records({ manager }: SchedulerOf, name = "a"): Promise<RunRecord[]> {
    return this.clock.until(collect(manager.history({ name })).then((all) => all.reverse()));
  }

  async close(): Promise<void> {
    for (const { scheduler, manager } of this.#schedulers) {
      await this.clock.until(scheduler.close());
      await this.clock.until(manager.close());
    }
  }
}
