import type { Args } from "../load/jobfile.js";
import type { PlannedJob } from "../plan/plan.js";
import type { Engine } from "./engine.js";
import { JobError } from "./error.js";
import type { ExecutionOrigin } from "./job.js";
import { spread } from "./spread.js";

interface Item {
  readonly item: unknown;
  /** The only one of the jobs that gets it. */
  readonly only?: string | undefined;
}

/** What a script hands to the jobs of `each`: what it passes to `each()`, and then the items of the list that it returns. */
export class EachItems {
  /** The job that the script at work belongs to. */
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

  /** Runs the jobs for every item. Items are worked on at once as far as slots are free. */
  async run(engine: Engine, returned: unknown, origin: ExecutionOrigin): Promise<void> {
    const jobs = this.#owner.each.map(({ job }) => engine.job(job));
    if (jobs.length === 0) return;
    const items = [...this.#items, ...(Array.isArray(returned) ? returned.map((item): Item => ({ item })) : [])];
    await spread(engine.dispatch, items, async ({ item, only }) => {
      const given = isArgs(item) ? item : { item };
      for (const job of jobs.filter(({ name }) => only === undefined || name === only)) {
        for (const own of job.args.length > 0 ? job.args : [{}]) {
          await engine.execute(job, engine.args(job, own, given), origin);
        }
      }
    });
  }
}

function isArgs(value: unknown): value is Args {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
