import type { Args } from "../../load/job-file.js";
import type { PlannedJob } from "../../plan/planned.js";
import { mapConcurrent } from "../dispatch/map-concurrent.js";
import { JobError, SkippedJob } from "../runtime/job-error.js";
import type { ExecutionOrigin } from "../runtime/parent-execution.js";
import type { ExecutionHost } from "./host.js";

interface Item {
  readonly item: unknown;
  /** The only job that gets the item. Default: all of them. */
  readonly only?: string | undefined;
}

/**
 * The items that a script hands to the jobs of `each`: those passed to `each()`, then those of the list that
 * it returns.
 */
export class EachItems {
  /** The job that the script belongs to. */
  readonly #owner: PlannedJob;
  readonly #items: Item[] = [];

  constructor(owner: PlannedJob) {
    this.#owner = owner;
  }

  /** @throws JobError if there is no such job in `each` */
  add(item: unknown, only?: string): void {
    const { name, each } = this.#owner;
    if (each.length === 0) throw new JobError(`each(): the job "${name}" has no "each"`);
    if (only !== undefined && !each.some(({ job }) => job === only)) {
      throw new JobError(`each(): "${only}" is none of the jobs in "each" of "${name}"`);
    }
    this.#items.push({ item, only });
  }

  /** Runs the jobs for every item. Free slots work on items at the same time. */
  async run(host: ExecutionHost, returned: unknown, origin: ExecutionOrigin): Promise<void> {
    const jobs = this.#owner.each.map(({ job }) => host.job(job));
    if (jobs.length === 0) return;
    const items = [...this.#items, ...(Array.isArray(returned) ? returned.map((item): Item => ({ item })) : [])];
    await mapConcurrent(host.dispatch, items, async ({ item, only }) => {
      const given = isArgs(item) ? item : { item };
      for (const job of jobs.filter(({ name }) => only === undefined || name === only)) {
        for (const run of await host.runsOf(job, given, origin)) {
          try {
            await host.execute(job, await host.args(job, run.own, run.given), origin);
          } catch (error) {
            // The item has nothing to do. That says nothing about the other items.
            if (!(error instanceof SkippedJob)) throw error;
            host.jobSkipped(job.name, error.message);
          }
        }
      }
    });
  }
}

function isArgs(value: unknown): value is Args {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
