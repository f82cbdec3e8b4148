import { isChannelError } from "@ojm/core";
import type { Args } from "../../load/job-file.js";
import type { PlannedJob } from "../../plan/planned.js";
import { hasScheduleWords, type NamedRun, namedRuns, scheduleNames } from "../../plan/schedules/schedule-names.js";
import { FileScheduler } from "./schedule/file-scheduler.js";
import type { ScheduleHost } from "./schedule/host.js";
import { ProcessSchedules } from "./schedule/process-schedules.js";
import { ScheduledRuns } from "./schedule/scheduled-runs.js";

/**
 * Requests the periodic jobs whenever they are due. The schedules of managed jobs whose names are known are
 * in the store, those of others in this process.
 */
export class Schedules {
  readonly #host: ScheduleHost;
  readonly #process: ProcessSchedules;
  readonly #runs: ScheduledRuns;
  #shared: Promise<FileScheduler> | undefined;
  #alone: Promise<FileScheduler> | undefined;
  /** How many schedules each job has. */
  readonly #counts = new Map<string, number>();
  /** The names of the schedules in the store. */
  readonly #names = new Set<string>();
  /** How many schedules of the file have each name. */
  #planned: ReadonlyMap<string, number> | undefined;
  #leave: (() => void)[] = [];

  constructor(host: ScheduleHost) {
    this.#host = host;
    this.#process = new ProcessSchedules(host);
    this.#runs = new ScheduledRuns(host);
  }

  /** Runs the job at each tick of its schedule, from now on. */
  async begin(job: PlannedJob, given: readonly Args[]): Promise<void> {
    const count = (this.#counts.get(job.name) ?? 0) + 1;
    this.#counts.set(job.name, count);
    const name = count === 1 ? job.name : `${job.name}#${count}`;
    const { settings, dispatch } = this.#host;
    const leave = settings.daemon === false ? () => {} : dispatch.expectMore();
    this.#leave.push(leave);
    try {
      await this.#begin(job, given, name);
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** Ends all schedules. */
  stop(): void {
    this.#runs.stop();
    this.#process.stop();
    for (const scheduler of [this.#shared, this.#alone]) void scheduler?.then((opened) => opened.close());
    for (const leave of this.#leave.splice(0)) leave();
  }

  /** Resolves when nothing is left of them. */
  async ended(): Promise<void> {
    this.stop();
    await (await this.#shared)?.close();
    await this.#runs.idle();
    await (await this.#alone)?.end();
  }

  async #begin(job: PlannedJob, given: readonly Args[], name: string): Promise<void> {
    if (await this.#inStore(job, this.#named(job, given))) return;
    if (!hasScheduleWords(job.typeArgs)) return this.#process.begin({ job, given, name });
    this.#alone ??= FileScheduler.alone(this.#host, this.#runs);
    await (await this.#alone).add({ job, given, name });
  }

  /** The runs of each tick, if each of them can have a schedule in the store. */
  #named(job: PlannedJob, given: readonly Args[]): readonly NamedRun[] {
    const { plan, commandLine, log } = this.#host;
    const runs = namedRuns(job, given, { jobs: plan.jobs, commandLine });
    if (typeof runs === "string") return [];
    this.#planned ??= scheduleNames(plan, commandLine);
    const isFree = ({ name }: NamedRun): boolean => {
      const isOnly = (this.#planned?.get(name) ?? 0) <= 1 && !this.#names.has(name);
      // A name with a secret is refused by the job itself.
      return isOnly && log.mask(name) === name;
    };
    return runs.every(isFree) ? runs : [];
  }

  /** Puts the schedules of a job into the store. Resolves to whether it can have them there. */
  async #inStore(job: PlannedJob, runs: readonly NamedRun[]): Promise<boolean> {
    // Without a manager, each run fails, and says why.
    const manager = runs.length === 0 ? undefined : await this.#host.runtime.managers.get().catch(() => undefined);
    if (manager === undefined) return false;
    this.#shared ??= FileScheduler.shared(this.#host, this.#runs, manager);
    const scheduler = await this.#shared;
    try {
      for (const { name, timeout, own, given } of runs) {
        this.#names.add(name);
        await scheduler.add({ job, given: [given], own, name, timeout });
      }
      return true;
    } catch (error) {
      // A Redis Cluster with each channel on a node of its own.
      if (isChannelError(error) && error.code === "NOT_SUPPORTED") return false;
      throw error;
    }
  }
}
