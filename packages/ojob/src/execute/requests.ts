import type { Tick } from "@ojm/core";
import type { Args, TodoEntry } from "../load/jobfile.js";
import type { PlannedJob } from "../plan/plan.js";
import type { JobError } from "./error.js";
import type { JobExecution } from "./job.js";

/** What became of a request. */
export type Outcome =
  /** `args` are what the job left behind. */
  | { readonly status: "completed"; readonly args: Args }
  | { readonly status: "failed"; readonly error: JobError }
  /** It was never started. `intended` where the job file wants it so: that is no failure. */
  | { readonly status: "skipped"; readonly reason: string; readonly intended: boolean };

/** What is asked for. */
export interface Asked {
  readonly job: PlannedJob;
  /** The job runs once for each of them. */
  readonly given: readonly Args[];
  /** What asks for it, for the records of its runs: `manual`, `launch`, `cron`, `interval`, `subscribe` or `shutdown`. */
  readonly trigger: string;
  /** The item of the todo that asks for it. */
  readonly entry?: TodoEntry | undefined;
  /** The job whose script calls it, and waits for it. */
  readonly caller?: JobExecution | undefined;
  /** What the job runs for again and again, its schedule or its subscription, begins. It does not run itself. */
  readonly begins?: boolean;
  /** The tick of its schedule that it runs for. */
  readonly tick?: Tick | undefined;
}

/** One wish to have a job run, from the moment it is uttered until it is done, has failed or was skipped. */
export class Request implements Asked {
  readonly job: PlannedJob;
  readonly given: readonly Args[];
  readonly trigger: string;
  readonly entry: TodoEntry | undefined;
  readonly caller: JobExecution | undefined;
  readonly begins: boolean;
  readonly tick: Tick | undefined;
  /** Counts the requests of this process. */
  readonly number: number;
  readonly finished: Promise<Outcome>;
  outcome: Outcome | undefined;
  /** Ends the waiting for dependencies or for a slot. There only while it waits. */
  giveUp: ((reason: string) => void) | undefined;
  #listeners: ((outcome: Outcome) => void)[] = [];

  constructor(asked: Asked, number: number) {
    this.job = asked.job;
    this.given = asked.given;
    this.trigger = asked.trigger;
    this.entry = asked.entry;
    this.caller = asked.caller;
    this.begins = asked.begins ?? false;
    this.tick = asked.tick;
    this.number = number;
    this.finished = new Promise((resolve) => this.onFinish(resolve));
  }

  /** What it is called in this process. */
  get id(): string {
    return `${this.job.name}#${this.number}`;
  }

  /** Calls `listener` as soon as the outcome is known, before anything else is started. */
  onFinish(listener: (outcome: Outcome) => void): void {
    if (this.outcome === undefined) this.#listeners.push(listener);
    else listener(this.outcome);
  }

  finish(outcome: Outcome): void {
    this.outcome = outcome;
    this.giveUp = undefined;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener(outcome);
  }
}

/** What is known of the requests for one job. */
interface Known {
  readonly open: Set<Request>;
  latest: Request | undefined;
  last: Outcome | undefined;
  readonly whenNext: Set<(request: Request) => void>;
}

/** All requests of a process that are not finished, and the last outcome of each job. */
export class Requests {
  readonly open: Set<Request> = new Set();
  readonly #byJob = new Map<string, Known>();
  #count = 0;

  add(asked: Asked): Request {
    const request = new Request(asked, ++this.#count);
    this.open.add(request);
    // No run: nobody who depends on the job means this.
    if (request.begins) {
      request.onFinish(() => this.open.delete(request));
      return request;
    }
    const known = this.#of(asked.job.name);
    known.open.add(request);
    known.latest = request;
    request.onFinish((outcome) => {
      this.open.delete(request);
      known.open.delete(request);
      // Only what the last one left behind is kept: a daemon makes requests without end.
      known.last = outcome;
      if (known.latest === request) known.latest = undefined;
    });
    for (const listener of [...known.whenNext]) listener(request);
    return request;
  }

  /**
   * The request for `job` that a dependency of `request` means: the latest one before it that is not finished; or the first one
   * after it, which stands further down in the todo; or the last outcome. `undefined` if nobody has asked for the job so far.
   */
  meantBy(request: Request, job: string): Request | Outcome | undefined {
    const known = this.#of(job);
    const { latest } = known;
    if (latest !== undefined && latest.number < request.number) return latest;
    let before: Request | undefined;
    for (const other of known.open) {
      if (other.number < request.number) before = other;
      else if (other !== request) return before ?? other;
    }
    return before ?? known.last;
  }

  /** Calls `listener` when somebody asks for the job. Returns a function that ends that. */
  onNext(job: string, listener: (request: Request) => void): () => void {
    const { whenNext } = this.#of(job);
    whenNext.add(listener);
    return () => whenNext.delete(listener);
  }

  #of(job: string): Known {
    let known = this.#byJob.get(job);
    if (known === undefined) {
      known = { open: new Set(), latest: undefined, last: undefined, whenNext: new Set() };
      this.#byJob.set(job, known);
    }
    return known;
  }
}
