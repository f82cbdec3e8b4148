import type { Clock } from "@ojm/core";
import { type DepsResult, DepsWait, type Judgement, quoted } from "./deps.js";
import { type Asked, type Outcome, type Request, Requests } from "./requests.js";
import { Slots } from "./slots.js";

/** What a {@link Dispatch} works with. */
export interface DispatchParts {
  /** How many requests run at once. */
  readonly slots: Slots;
  /** Whether items of the todo run one after the other. */
  readonly sequential: boolean;
  /** How long a request waits for its dependencies, in ms. Default: as long as it takes. */
  readonly depsTimeout: number | undefined;
  readonly clock: Clock;
  /** Runs a request whose time has come, if the code of its dependencies agrees. Rejects only for a fault of ours. */
  readonly run: (request: Request, judgements: readonly Judgement[]) => Promise<Outcome>;
  /** Told of each outcome but those of calls, which are for the script that called. */
  readonly onOutcome: (request: Request, outcome: Outcome) => void;
}

interface Waiting {
  readonly wait: DepsWait;
  readonly end: (result: DepsResult) => void;
}

/** Takes every request through its stations: dependencies, its turn in the todo, a slot, the run itself. */
export class Dispatch {
  readonly requests: Requests = new Requests();
  readonly #parts: DispatchParts;
  /** One item of the todo at a time. Those that wait for dependencies are not in the lane. */
  readonly #lane: Slots;
  readonly #waiting = new Map<Request, Waiting>();
  readonly #whenIdle: (() => void)[] = [];
  /** How many run or wait for a slot only. A request whose script calls a job that waits for dependencies is none of them. */
  #busy = 0;
  /** How many others may still ask for jobs: a schedule, a daemon. */
  #sources = 0;
  #stopped: string | undefined;
  #fault: { readonly error: unknown } | undefined;

  constructor(parts: DispatchParts) {
    this.#parts = parts;
    this.#lane = new Slots(parts.sequential ? 1 : Number.POSITIVE_INFINITY);
  }

  /** Takes requests on, all of them before the first one is looked at: each may depend on one further down. */
  submit(...asked: readonly Asked[]): readonly Request[] {
    const requests = asked.map((one) => this.requests.add(one));
    this.#busy++;
    for (const request of requests) this.#begin(request);
    this.#leave();
    return requests;
  }

  /**
   * Runs a job for a script that waits for it, in the slot of that script, so that it never waits for a slot that its caller
   * holds. While it waits for dependencies, others have that slot.
   */
  async call(asked: Asked): Promise<Outcome> {
    const request = this.requests.add(asked);
    let lent = false;
    const result = await new Promise<DepsResult>((resolve) => {
      this.#awaitDeps(request, (decided) => {
        if (lent) this.#busy++;
        resolve(decided);
      });
      lent = this.#waiting.has(request);
      if (lent) this.#leave(this.#parts.slots);
    });
    if (lent) await new Promise<void>((resolve) => void this.#parts.slots.take(0, resolve));
    const outcome = "unmet" in result ? skipped(result.unmet) : await this.#run(request, result.judgements);
    request.finish(outcome);
    return outcome;
  }

  /** Whether somebody waits for a slot: one that is borrowed is to be given back. */
  get slotsWanted(): boolean {
    return this.#parts.slots.wanted;
  }

  /** One more slot for a request that runs, if nobody waits for one. Returns a function that gives it back. */
  borrow(): (() => void) | undefined {
    if (!this.#parts.slots.tryTake()) return undefined;
    this.#busy++;
    return () => this.#leave(this.#parts.slots);
  }

  /** Says that something else may still ask for jobs, so that the process goes on. Returns a function that takes it back. */
  expectMore(): () => void {
    let expected = true;
    this.#sources++;
    return () => {
      if (expected && this.#sources > 0) this.#sources--;
      expected = false;
      this.#settle();
    };
  }

  /** Resolves when no request is open and nothing is left that could make one. */
  async idle(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#whenIdle.push(resolve);
      this.#settle();
    });
    if (this.#fault !== undefined) throw this.#fault.error;
  }

  /** Starts nothing more: what waits is skipped. What runs goes on. */
  stop(reason: string): void {
    this.#stopped ??= reason;
    this.#busy++;
    for (const request of [...this.requests.open]) request.giveUp?.(reason);
    this.#leave();
  }

  /** Starts requests again that come from now on. */
  reopen(): void {
    this.#stopped = undefined;
    this.#sources = 0;
  }

  #begin(request: Request): void {
    this.#awaitDeps(request, (result) => {
      this.#busy++;
      if ("unmet" in result) {
        this.#end(request, skipped(result.unmet), []);
        return;
      }
      const stations = request.entry === undefined ? [this.#parts.slots] : [this.#lane, this.#parts.slots];
      this.#pass(request, stations, [], (held) => {
        void this.#run(request, result.judgements).then((outcome) => this.#end(request, outcome, held));
      });
    });
  }

  /** Calls `decided` when it is known whether the request may run: maybe before this returns. */
  #awaitDeps(request: Request, decided: (result: DepsResult) => void): void {
    // A schedule begins in its turn; it is each of its runs that waits.
    if (this.#stopped !== undefined || request.begins || request.job.deps.length === 0) {
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

  /** Waits for one station after the other, and hands `done` what the request holds then. */
  #pass(
    request: Request,
    [next, ...rest]: readonly Slots[],
    held: readonly Slots[],
    done: (held: readonly Slots[]) => void,
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

  async #run(request: Request, judgements: readonly Judgement[]): Promise<Outcome> {
    try {
      return await this.#parts.run(request, judgements);
    } catch (error) {
      this.#fault ??= { error };
      return { status: "skipped", reason: "a fault of the program", intended: false };
    }
  }

  #end(request: Request, outcome: Outcome, held: readonly Slots[]): void {
    this.#parts.onOutcome(request, outcome);
    // Those that depend on it take their place in the queue before somebody behind them is let in.
    request.finish(outcome);
    this.#leave(...held);
  }

  #leave(...held: readonly Slots[]): void {
    for (const slots of held) slots.free();
    this.#busy--;
    this.#settle();
  }

  /** Sees to it that nobody waits for what can never come. */
  #settle(): void {
    if (this.#busy > 0 || (this.#sources > 0 && this.#stopped === undefined)) return;
    if (this.requests.open.size === 0) {
      for (const resolve of this.#whenIdle.splice(0)) resolve();
      return;
    }
    const stuck = [...this.#waiting.entries()];
    const [first] = [
      ...stuck.filter(([, { wait }]) => wait.unasked.length > 0),
      ...stuck.filter(([{ caller }]) => caller),
    ];
    if (first === undefined) return;
    const [, { wait, end }] = first;
    const { unasked, pending } = wait;
    if (unasked.length > 0) {
      end({ unmet: `it depends on ${quoted(unasked)}, which nobody asked for, and nothing is left that could` });
    } else {
      end({ unmet: `it depends on ${quoted(pending)}, which waits for the job that called it` });
    }
  }
}

function skipped(reason: string): Outcome {
  return { status: "skipped", reason, intended: false };
}
