import type { Clock } from "@ojm/core";
import { durationText } from "@ojm/core/backend";
import type { CodeBlock, Dependency } from "../../load/job-file.js";
import { type JobOutcome, Request, type Requests } from "./requests.js";

/** A dependency that is met if its code returns true. */
export interface Judgement {
  readonly job: string;
  readonly code: CodeBlock;
  readonly key: "onSuccess" | "onFail";
}

/** How a wait for dependencies ended. */
export type DepsResult = { readonly judgements: readonly Judgement[] } | { readonly unmet: string };

/**
 * Waits until the outcome of every dependency of a request is known. The wait holds neither a slot nor a
 * thread.
 */
export class DepsWait {
  readonly #request: Request;
  readonly #requests: Requests;
  readonly #decide: (result: DepsResult) => void;
  /** Dependencies that no request has named so far, each with a function that stops listening for one. */
  readonly #unasked = new Map<Dependency, () => void>();
  readonly #judgements: Judgement[] = [];
  readonly #pending: Set<Dependency>;
  #cancelTimer: () => void = () => {};
  #over = false;

  constructor(request: Request, requests: Requests, decide: (result: DepsResult) => void) {
    this.#request = request;
    this.#requests = requests;
    this.#decide = decide;
    this.#pending = new Set(request.job.deps);
  }

  /**
   * Starts the wait. The decision may come before this returns, and comes after `timeout` ms at the latest.
   */
  begin(timeout: number | undefined, clock: Clock): void {
    for (const dependency of this.#request.job.deps) this.#watch(dependency);
    if (!this.#over && timeout !== undefined)
      this.#cancelTimer = clock.after(timeout, () => this.#timeUp(timeout), true);
  }

  /** The dependencies that no request has named so far. */
  get unasked(): string[] {
    return [...this.#unasked.keys()].map(({ job }) => job);
  }

  /** The dependencies whose outcome is not known yet. */
  get pending(): string[] {
    return [...this.#pending].map(({ job }) => job);
  }

  /** Ends the wait. */
  end(): void {
    this.#over = true;
    this.#cancelTimer();
    for (const stop of this.#unasked.values()) stop();
    this.#unasked.clear();
  }

  #watch(dependency: Dependency): void {
    if (this.#over) return;
    const meant = this.#requests.meantBy(this.#request, dependency.job);
    if (meant instanceof Request) meant.onFinish((outcome) => this.#judge(dependency, outcome));
    else if (meant !== undefined) this.#judge(dependency, meant);
    else
      this.#unasked.set(
        dependency,
        this.#requests.onNext(dependency.job, (next) => this.#asked(dependency, next)),
      );
  }

  #asked(dependency: Dependency, next: Request): void {
    this.#unasked.get(dependency)?.();
    this.#unasked.delete(dependency);
    next.onFinish((outcome) => this.#judge(dependency, outcome));
  }

  #judge(dependency: Dependency, outcome: JobOutcome): void {
    if (this.#over) return;
    const key = outcome.status === "completed" ? "onSuccess" : "onFail";
    const code = dependency[key];
    this.#pending.delete(dependency);
    if (code !== undefined) this.#judgements.push({ job: dependency.job, code, key });
    if (code === undefined && outcome.status !== "completed") this.#decide({ unmet: unmet(dependency.job, outcome) });
    else if (this.#pending.size === 0) this.#decide({ judgements: this.#judgements });
  }

  #timeUp(timeout: number): void {
    this.#decide({ unmet: `it waited ${durationText(timeout)} (depsTimeout) for ${quoted(this.pending)}` });
  }
}

function unmet(job: string, outcome: JobOutcome): string {
  return `it depends on "${job}", which ${outcome.status === "failed" ? "failed" : "was skipped"}`;
}

/** Quotes names for a message: `"A" and "B"`. */
export function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(" and ");
}
