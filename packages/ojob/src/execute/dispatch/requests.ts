import type { Clock } from "@ojm/core";
import { durationText } from "@ojm/core/backend";
import { whenAborted } from "@ojm/core/internal";
import type { Args, CodeBlock, Dependency, TodoEntry } from "../../load/job-file.js";
import type { RunArgs } from "../../plan/args.js";
import type { PlannedJob } from "../../plan/planned.js";
import type { ParentExecution } from "../execution.js";
import type { JobError } from "../runtime/job-error.js";
import type { HandedRun, RunTick } from "../runtime/open-runs.js";

export type JobOutcome =
  /** `args` are the arguments that the job left behind. */
  | { readonly status: "completed"; readonly args: Args }
  | { readonly status: "failed"; readonly error: JobError }
  /**
   * The job never started. `intended` means that the job file wants that, so it is no failure. `done`: its
   * work is done, or another process does it.
   */
  | { readonly status: "skipped"; readonly reason: string; readonly intended: boolean; readonly done?: boolean };

export interface JobRequest {
  readonly job: PlannedJob;
  /** The job runs once for each of them. */
  readonly given: readonly Args[];
  /** What made the request: `manual`, `launch`, `cron`, `interval`, `subscribe` or `shutdown`. */
  readonly trigger: string;
  readonly entry?: TodoEntry | undefined;
  /** The execution whose script calls the job and waits for it. */
  readonly caller?: ParentExecution | undefined;
  /** The request begins the schedule or the subscription of the job. It does not run the job. */
  readonly begins?: boolean;
  readonly tick?: RunTick | undefined;
  /** The map of its own arguments for which the job runs. Default: it runs once for each of its maps. */
  readonly own?: Args | undefined;
  /** The run that was started for the request. */
  readonly handed?: HandedRun | undefined;
}

/** One of the runs of a request: a pair of its own and of given arguments. */
export interface OneRun extends RunArgs {
  readonly tick: RunTick | undefined;
}

/** A request to run a job, from its creation until the job is completed, failed or skipped. */
export class Request {
  readonly contents: JobRequest;
  /** Counts the requests of this process. */
  readonly number: number;
  readonly finished: Promise<JobOutcome>;
  outcome: JobOutcome | undefined;
  /** Ends the wait for dependencies or for a slot. Set only while the request waits. */
  giveUp: ((reason: string) => void) | undefined;
  #listeners: ((outcome: JobOutcome) => void)[] = [];

  constructor(contents: JobRequest, number: number) {
    this.contents = contents;
    this.number = number;
    this.finished = new Promise((resolve) => this.onFinish(resolve));
  }

  /** The outcome. No execution listens to the signal of its run while it waits: the signal ends the wait. */
  finishedUnder(signal: AbortSignal): Promise<JobOutcome> {
    const end = (): void => this.giveUp?.((signal.reason as Error).message);
    const unfollow = whenAborted(signal, end);
    if (signal.aborted) end();
    return this.finished.finally(unfollow);
  }

  /** Names the request within this process. */
  get id(): string {
    return `${this.contents.job.name}#${this.number}`;
  }

  /** Calls `listener` with the outcome, before any other request starts. */
  onFinish(listener: (outcome: JobOutcome) => void): void {
    if (this.outcome === undefined) this.#listeners.push(listener);
    else listener(this.outcome);
  }

  finish(outcome: JobOutcome): void {
    this.outcome = outcome;
    this.giveUp = undefined;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener(outcome);
  }
}

interface Known {
  readonly open: Set<Request>;
  latest: Request | undefined;
  last: JobOutcome | undefined;
  readonly whenNext: Set<(request: Request) => void>;
}

/** All open requests of a process, and the last outcome of each job. */
export class Requests {
  readonly open: Set<Request> = new Set();
  readonly #byJob = new Map<string, Known>();
  #count = 0;

  add(contents: JobRequest): Request {
    const request = new Request(contents, ++this.#count);
    this.open.add(request);
    request.onFinish(() => this.open.delete(request));
    // A dependency means a run of the job, not the start of its schedule.
    if (contents.begins) return request;
    const known = this.#of(contents.job.name);
    known.open.add(request);
    known.latest = request;
    request.onFinish((outcome) => {
      known.open.delete(request);
      // Keep only the last outcome: a daemon makes requests without end.
      known.last = outcome;
      if (known.latest === request) known.latest = undefined;
    });
    for (const listener of [...known.whenNext]) listener(request);
    return request;
  }

  /**
   * The request that a dependency on `job` means. It is the latest open request before `request`, else the
   * first one after it, else the last outcome. `undefined` if no request has named the job so far.
   */
  meantBy(request: Request, job: string): Request | JobOutcome | undefined {
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

/** A dependency that is met if its code returns true. */
export interface Judgement {
  readonly job: string;
  readonly code: CodeBlock;
  readonly key: "onSuccess" | "onFail";
}

export type DepsResult = { readonly judgements: readonly Judgement[] } | { readonly unmet: string };

/** Waits for the outcome of every dependency of a request, without a slot or a thread. */
export class DepsWait {
  readonly #request: Request;
  readonly #requests: Requests;
  readonly #decide: (result: DepsResult) => void;
  /** Dependencies that no request has named so far, each with a function that ends the listening. */
  readonly unrequested: Map<string, () => void> = new Map();
  readonly pending: Set<string>;
  readonly #judgements: Judgement[] = [];
  #cancelTimer: () => void = () => {};
  #over = false;

  constructor(request: Request, requests: Requests, decide: (result: DepsResult) => void) {
    this.#request = request;
    this.#requests = requests;
    this.#decide = decide;
    this.pending = new Set(request.contents.job.deps.map(({ job }) => job));
  }

  /** Starts the wait. The decision may come before this returns, and after `timeout` ms at the latest. */
  begin(timeout: number | undefined, clock: Clock): void {
    for (const dependency of this.#request.contents.job.deps) this.#watch(dependency);
    if (this.#over || timeout === undefined) return;
    const why = (): string => `it waited ${durationText(timeout)} (depsTimeout) for ${quoted(this.pending)}`;
    this.#cancelTimer = clock.after(timeout, () => this.#decide({ unmet: why() }), true);
  }

  end(): void {
    this.#over = true;
    this.#cancelTimer();
    for (const stop of this.unrequested.values()) stop();
    this.unrequested.clear();
  }

  #watch(dependency: Dependency): void {
    if (this.#over) return;
    const judge = (outcome: JobOutcome): void => this.#judge(dependency, outcome);
    const meant = this.#requests.meantBy(this.#request, dependency.job);
    if (meant instanceof Request) meant.onFinish(judge);
    else if (meant !== undefined) judge(meant);
    else {
      const stop = this.#requests.onNext(dependency.job, (next) => {
        stop();
        this.unrequested.delete(dependency.job);
        next.onFinish(judge);
      });
      this.unrequested.set(dependency.job, stop);
    }
  }

  #judge(dependency: Dependency, outcome: JobOutcome): void {
    if (this.#over) return;
    const key = outcome.status === "completed" ? "onSuccess" : "onFail";
    const code = dependency[key];
    this.pending.delete(dependency.job);
    if (code !== undefined) this.#judgements.push({ job: dependency.job, code, key });
    if (code === undefined && outcome.status !== "completed") this.#decide({ unmet: unmet(dependency.job, outcome) });
    else if (this.pending.size === 0) this.#decide({ judgements: this.#judgements });
  }
}

function unmet(job: string, outcome: JobOutcome): string {
  return `it depends on "${job}", which ${outcome.status === "failed" ? "failed" : "was skipped"}`;
}

/** Quotes names for a message: `"A" and "B"`. */
export function quoted(names: Iterable<string>): string {
  return [...names].map((name) => `"${name}"`).join(" and ");
}
