import type { Clock } from "@ojm/core";
import { Semaphore } from "@ojm/core/internal";
import {
  type DepsResult,
  DepsWait,
  type JobOutcome,
  type JobRequest,
  type Judgement,
  quoted,
  type Request,
  Requests,
} from "./requests.js";

/** What a {@link Dispatch} needs. */
interface DispatchParts {
  readonly slots: Semaphore;
  readonly sequential: boolean;
  /** How long a request waits for its dependencies, in ms. Default: without a limit. */
  readonly depsTimeout: number | undefined;
  readonly clock: Clock;
  /** Runs a request, if the code of its dependencies agrees. Never rejects. */
  readonly run: (request: Request, judgements: readonly Judgement[]) => Promise<JobOutcome>;
  /** Receives each outcome, except those of calls: the calling script receives them. */
  readonly onOutcome: (request: Request, outcome: JobOutcome) => void;
}

/** Takes every request through its stages: dependencies, its turn in the todo, a slot, the run itself. */
export class Dispatch {
  readonly requests: Requests = new Requests();
  readonly #parts: DispatchParts;
  /** Lets one item of the todo through at a time, except those that wait for dependencies. */
  readonly #lane: Semaphore;
  readonly #waiting = new Map<Request, { readonly wait: DepsWait; readonly end: (result: DepsResult) => void }>();
  readonly #whenIdle: (() => void)[] = [];
  readonly #onStop = new Set<() => void>();
  /** How many requests run or wait for a slot, without those whose script waits for the deps of a call. */
  #busy = 0;
  /** How many sources may still make requests: schedules, a daemon. */
  #sources = 0;
  #stopped: string | undefined;

  constructor(parts: DispatchParts) {
    this.#parts = parts;
    this.#lane = new Semaphore(parts.sequential ? 1 : Number.POSITIVE_INFINITY);
  }

  /** Registers all of the requests before it starts the first: a request may depend on a later one. */
  submit(...jobs: readonly JobRequest[]): readonly Request[] {
    const requests = jobs.map((one) => this.requests.add(one));
    this.#busy++;
    for (const request of requests) this.#begin(request);
    this.#leave();
    return requests;
  }

  /**
   * Runs a job for a script that waits for it, in the slot of that script: a call never waits for a slot that
   * its caller holds. While the call waits for dependencies, other requests use that slot.
   */
  async call(job: JobRequest): Promise<JobOutcome> {
    const request = this.requests.add(job);
    let lent = false;
    const result = await new Promise<DepsResult>((resolve) => {
      this.#awaitDeps(request, (decided) => {
        if (lent) this.#busy++;
        resolve(decided);
      });
      lent = this.#waiting.has(request);
      if (lent) this.#leave(this.#parts.slots);
    });
    if (lent) await this.#parts.slots.enter(0);
    const outcome = "unmet" in result ? skipped(result.unmet) : await this.#parts.run(request, result.judgements);
    request.finish(outcome);
    // A caller that was asked to stop may have ended before.
    this.#settle();
    return outcome;
  }

  /** Whether a request waits for a slot. A borrower returns its slot then. */
  get slotsWanted(): boolean {
    return this.#parts.slots.wanted;
  }

  /** Lends one more slot unless a request waits for one. Call the result to return it. */
  borrow(): (() => void) | undefined {
    if (!this.#parts.slots.tryTake()) return undefined;
    this.#busy++;
    return () => this.#leave(this.#parts.slots);
  }

  /** Lends the slot of the caller, who only waits. Call the result to get one back, lowest `order` first. */
  lend(order: number): () => Promise<void> {
    this.#parts.slots.free();
    return () => this.#parts.slots.enter(order);
  }

  onStop(listener: () => void): () => void {
    this.#onStop.add(listener);
    return () => this.#onStop.delete(listener);
  }

  /** Keeps the process alive for a source of requests. Call the result once the source is done. */
  expectMore(): () => void {
    let expected = true;
    this.#sources++;
    return () => {
      if (expected && this.#sources > 0) this.#sources--;
      expected = false;
      this.#settle();
    };
  }

  /** Resolves when no request is open and no source can make one. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenIdle.push(resolve);
      this.#settle();
    });
  }

  /** Skips every request that waits, and starts no other. Running requests continue. */
  stop(reason: string): void {
    this.#stopped ??= reason;
    this.#busy++;
    for (const request of [...this.requests.open]) request.giveUp?.(reason);
    for (const listener of [...this.#onStop]) listener();
    this.#leave();
  }

  reopen(): void {
    this.#stopped = undefined;
    this.#sources = 0;
  }

  #begin(request: Request): void {
    this.#awaitDeps(request, (result) => {
      this.#busy++;
      if ("unmet" in result) return this.#end(request, skipped(result.unmet), []);
      const stations = request.contents.entry === undefined ? [this.#parts.slots] : [this.#lane, this.#parts.slots];
      this.#pass(request, stations, [], (held) => {
        void this.#parts.run(request, result.judgements).then((outcome) => this.#end(request, outcome, held));
      });
    });
  }

  /** Calls `decided` once it is known whether the request may run. That may be before this returns. */
  #awaitDeps(request: Request, decided: (result: DepsResult) => void): void {
    // A request that begins a schedule does not wait: each run of the schedule does.
    const { begins, job } = request.contents;
    if (this.#stopped !== undefined || begins || job.deps.length === 0) {
      decided(this.#stopped !== undefined ? { unmet: this.#stopped } : { judgements: [] });
      return;
    }
    const end = (result: DepsResult): void => {
      this.#waiting.delete(request);
      request.giveUp = undefined;
      wait.end();
      decided(result);
    };
    const wait = new DepsWait(request, this.requests, end);
    this.#waiting.set(request, { wait, end });
    request.giveUp = (reason) => end({ unmet: reason });
    wait.begin(this.#parts.depsTimeout, this.#parts.clock);
  }

  /** Takes a slot of each semaphore in turn, and then calls `done` with those that the request holds. */
  #pass(
    request: Request,
    [next, ...rest]: readonly Semaphore[],
    held: readonly Semaphore[],
    done: (held: readonly Semaphore[]) => void,
  ): void {
    if (next === undefined) {
      done(held);
      return;
    }
    let entered = false;
    const leave = next.take(request.number, () => {
      entered = true;
      request.giveUp = undefined;
      this.#pass(request, rest, [next, ...held], done);
    });
    if (entered) return;
    request.giveUp = (reason) => {
      leave();
      this.#end(request, skipped(reason), held);
    };
  }

  #end(request: Request, outcome: JobOutcome, held: readonly Semaphore[]): void {
    this.#parts.onOutcome(request, outcome);
    // Finish first: requests that depend on this one enter the queue before a later request gets the slot.
    request.finish(outcome);
    this.#leave(...held);
  }

  #leave(...held: readonly Semaphore[]): void {
    for (const slots of held) slots.free();
    this.#busy--;
    this.#settle();
  }

  /** Skips a request that waits for something that can no longer happen. */
  #settle(): void {
    if (this.#busy > 0 || (this.#sources > 0 && this.#stopped === undefined)) return;
    if (this.requests.open.size === 0) {
      for (const resolve of this.#whenIdle.splice(0)) resolve();
      return;
    }
    const stuck = [...this.#waiting.entries()];
    const [first] = [
      ...stuck.filter(([, { wait }]) => wait.unrequested.size > 0),
      ...stuck.filter(([{ contents }]) => contents.caller),
    ];
    if (first === undefined) return;
    const [, { wait, end }] = first;
    const { unrequested, pending } = wait;
    const why =
      unrequested.size > 0
        ? `${quoted(unrequested.keys())}, which was never requested, and nothing can request it any more`
        : `${quoted(pending)}, which waits for the job that called it`;
    end({ unmet: `it depends on ${why}` });
  }
}

function skipped(reason: string): JobOutcome {
  return { status: "skipped", reason, intended: false };
}

/**
 * Works through a list in the slot of the caller and in borrowed slots, at most `limit` items at once. Once
 * `mayBegin` returns false, no other item begins. Results are in the order of the items; an item that did not
 * begin has none. A failed item does not stop the others: the first failure is thrown at the end.
 */
export async function mapConcurrent<Item, Result>(
  lender: Pick<Dispatch, "slotsWanted" | "borrow">,
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
  limit: number = Number.POSITIVE_INFINITY,
  mayBegin = (): boolean => true,
): Promise<Result[]> {
  const left = [...items.entries()].reverse();
  const results: Result[] = [];
  const failures = new Map<number, unknown>();
  const helpers: Promise<void>[] = [];
  let working = 1;
  const workThrough = async (mayStay: () => boolean): Promise<void> => {
    while (mayStay() && mayBegin()) {
      const next = left.pop();
      if (next === undefined) return;
      const [index, item] = next;
      const result = work(item);
      // Hire only after this item has begun, so that items begin in their order.
      hire();
      try {
        results[index] = await result;
      } catch (error) {
        failures.set(index, error);
      }
    }
  };
  const hire = (): void => {
    const giveBack = left.length > 0 && working < limit ? lender.borrow() : undefined;
    if (giveBack === undefined) return;
    working++;
    const leave = (): void => {
      working--;
      giveBack();
    };
    helpers.push(workThrough(() => !lender.slotsWanted).finally(leave));
  };
  await workThrough(() => true);
  await Promise.all(helpers);
  const [first] = [...failures.keys()].sort((a, b) => a - b);
  if (first !== undefined) throw failures.get(first);
  return results;
}
