import type { Channel } from "../../channel/channel.js";
import { isChannelError } from "../../channel/errors.js";
import type { Entry } from "../../channel/types.js";
import type { LocksValue } from "../../locks/entries/schema.js";
import { asker } from "../../locks/entries/view.js";
import type { Holder } from "../../locks/types.js";
import { pause, reasonText } from "../../util/abort.js";
import { visible } from "../../util/text.js";
import { auditOps, cancelOf } from "../audit.js";
import { isRunError, RunError } from "../errors.js";
import { attemptFailed } from "../events.js";
import { checkRunOptions } from "../options.js";
import type { RunContext } from "../run/context.js";
import type { OpenRun } from "../run/open-run.js";
import { endBody, unlessClosing } from "../run/run-body.js";
import { closedError, startRun } from "../run/start-run.js";
import type { Outcome, PendingRetry, Run, RunOptions, TakeOverOptions } from "../types.js";
import { claimOf, optionsOfAttempt, PendingWatch, pendingOf, pendingOp, pendingUnder } from "./pending.js";
import { checkRetry, delayAfter } from "./policy.js";

type Body<T> = (run: Run) => T | Promise<T>;
type Pending = Entry<PendingRetry>;

/** The longest wait of an attempt for its lock and permits, in ms: a second wait would be behind others. */
const WAIT = 30 * 86_400_000;

/** How often an attempt that waits for its lock checks that it is still pending, in ms. */
const CHECK = 60_000;

/** The pause before a call is repeated while the store is unavailable, in ms. */
const PAUSE = 1_000;

/** Runs a body until it completes or the policy ends. Without a claim, continues an orphaned retry series. */
export async function runChain<T>(
  context: RunContext,
  name: string,
  body: Body<T>,
  options: RunOptions,
): Promise<Outcome<T>> {
  checkRunOptions(name, options);
  const retry = checkRetry(name, options.retry as NonNullable<RunOptions["retry"]>);
  if (typeof body !== "function") throw new RunError("INVALID", name, `the body of "${name}" must be a function`);
  if (context.closing.aborted) throw closedError();
  // Without its session, others would take this process for dead and make the attempt too.
  return context.locks.keepSession(async () => {
    const chain = new Chain(context, name, body, options);
    // A run with a claim, or with `once`, has its own purpose, so it does not continue another series.
    const isForMore = options.claim !== undefined || options.once !== undefined;
    const left = isForMore ? undefined : await adoptOne(context, name);
    if (left !== undefined) return chain.continueWith(left);
    return chain.attempt(await startRun(context, name, withoutRetry(options), { attempt: 1, retry }));
  });
}

/** Continues an orphaned retry series. Resolves to `undefined` if there is none. */
export async function takeOverChain<T>(
  context: RunContext,
  name: string,
  body: Body<T>,
  options: TakeOverOptions,
): Promise<Outcome<T> | undefined> {
  if (context.closing.aborted) throw closedError();
  return context.locks.keepSession(async () => {
    const left = await adoptOne(context, name);
    if (left !== undefined) options.onTaken?.(left.value);
    return left && new Chain(context, name, body, options).continueWith(left);
  });
}

function withoutRetry({ retry: _, ...options }: RunOptions): RunOptions {
  return options;
}

async function adoptOne(context: RunContext, name: string): Promise<Pending | undefined> {
  const all = await pendingOf(context.lockChannel, name);
  // The one that is due first: others may wait for hours.
  for (const pending of all.sort((a, b) => a.value.due - b.value.due)) {
    const adopted = await adopt(context, pending);
    if (adopted !== undefined) return adopted;
  }
  return undefined;
}

/** Makes this process the owner of an attempt. Resolves to `undefined` if a living process owns it. */
async function adopt(context: RunContext, { key, value, version }: Pending): Promise<Pending | undefined> {
  const { locks, lockChannel, clock, chains } = context;
  const by = await locks.operator.holder();
  // The attempt is ours, but no task here makes it: the answer to an earlier such commit was lost.
  const isLeft = value.by?.instance === by.instance && !chains.has(value.chain);
  if (value.by !== undefined && !isLeft && !(await locks.operator.isGone(value.by))) return undefined;
  const ours = { ...value, by };
  const result = await lockChannel.commit([{ check: key, version }, pendingOp(ours, clock.now())]);
  return result.ok ? { key, value: ours, version: result.version } : undefined;
}

/** The attempts of one retry series that this process makes. */
class Chain<T> {
  readonly #context: RunContext;
  readonly #name: string;
  readonly #body: Body<T>;
  readonly #options: RunOptions;

  constructor(context: RunContext, name: string, body: Body<T>, options: RunOptions) {
    this.#context = context;
    this.#name = name;
    this.#body = body;
    this.#options = options;
  }

  /** Makes a pending attempt, once it is due, and the following ones. */
  async continueWith(pending: Pending): Promise<Outcome<T>> {
    const { chain, by } = pending.value;
    return this.#busy(chain, async () => {
      const started = this.#unlessClosed(chain, by, async () => {
        await this.#pause(pending, this.#rest(pending));
        return this.#start(pending);
      });
      return this.attempt(await started);
    });
  }

  /** Runs the work that leads to the next attempt. If the runs are closed meanwhile, others make it. */
  async #unlessClosed<R>(chain: string, by: Holder | undefined, work: () => Promise<R>): Promise<R> {
    const { starting, closing } = this.#context;
    return starting.during(async () => {
      try {
        return await work();
      } catch (error) {
        if (closing.aborted) await this.#leave(chain, by).catch(() => {});
        throw error;
      }
    });
  }

  /** Gives up a pending attempt of this process: any other process may make it at once. */
  async #leave(chain: string, by: Holder | undefined): Promise<void> {
    const { lockChannel, clock } = this.#context;
    const pending = await this.#read(chain);
    if (pending === undefined || pending.value.by === undefined || pending.value.by.instance !== by?.instance) return;
    const { by: _, ...left } = pending.value;
    await lockChannel.commit([{ check: pending.key, version: pending.version }, pendingOp(left, clock.now())]);
  }

  /** The time until an attempt is due, in ms. */
  #rest({ value: { due, retry, attempt, handedOver } }: Pending): number {
    if (handedOver === true) return 0;
    // The clock of the process that wrote it may be ahead: never wait longer than the delay of the policy.
    return Math.min(due - this.#context.clock.now(), delayAfter(retry, attempt - 1));
  }

  /** Marks the retry series as made by this process while `work` runs. */
  async #busy<R>(chain: string, work: () => Promise<R>): Promise<R> {
    const { chains } = this.#context;
    chains.add(chain);
    try {
      return await work();
    } finally {
      chains.delete(chain);
    }
  }

  /** Runs the body of an attempt that was just started, and makes the following ones. */
  attempt(run: OpenRun): Promise<Outcome<T>> {
    return this.#busy(run.chain, () => this.#attempt(run));
  }

  async #attempt(run: OpenRun): Promise<Outcome<T>> {
    let isOver: Promise<unknown> = Promise.resolve();
    const body = (it: Run): T | Promise<T> => {
      const result = this.#body(it);
      isOver = Promise.resolve(result).catch(() => {});
      return result;
    };
    try {
      return await endBody(run, body);
    } catch (error) {
      const record = await run.closing?.catch(() => undefined);
      // Another process makes it.
      if (record?.handedOver === true) throw error;
      const next = await this.#unlessClosed(run.chain, run.holder, async () => {
        const pending = await this.#next(run.chain);
        if (pending === undefined || this.#context.closing.aborted) throw error;
        attemptFailed.publish(() => ({ id: run.id, error, next: pending.value }));
        // A body that ignores its signal must not overlap the next attempt.
        await unlessClosing(this.#context.closing, isOver);
        return pending;
      });
      return this.continueWith(next);
    }
  }

  #read(chain: string): Promise<Pending | undefined> {
    return pendingUnder(this.#context.lockChannel, this.#name, chain);
  }

  /** The next attempt, if this process must make it. */
  #next(chain: string): Promise<Pending | undefined> {
    return this.#asked(async () => {
      const pending = await this.#read(chain);
      if (pending === undefined) return undefined;
      const { instance } = await this.#context.locks.operator.holder();
      return pending.value.by?.instance === instance ? pending : adopt(this.#context, pending);
    });
  }

  /** Repeats the call until the store answers. */
  async #asked<R>(ask: () => Promise<R>): Promise<R> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (!isAway(error)) throw error;
        await this.#wait(PAUSE);
        this.#options.signal?.throwIfAborted();
      }
    }
  }

  async #start(from: Pending): Promise<OpenRun> {
    let pending = from;
    for (;;) {
      const { chain, attempt, retry } = pending.value;
      const { signal } = this.#options;
      const gone = this.#watchPending(pending);
      const terms = { ...optionsOfAttempt(pending.value), ...(signal && { signal }), waitSignal: gone.signal };
      const options = { ...terms, wait: WAIT, claim: claimOf(this.#context, pending) };
      try {
        return await startRun(this.#context, this.#name, options, { attempt, chain, retry });
      } catch (error) {
        const continues = isAway(error) || (isRunError(error) && ["LOCKED", "CANCELLED"].includes(error.code));
        if (isRunError(error) && error.code === "LOST") throw (await this.#cancelled(pending)) ?? error;
        if (!continues) throw error;
        await this.#pause(pending, isAway(error) ? PAUSE : 0);
        const current = await this.#next(chain);
        // The attempt is gone: the store may have applied its begin. A later check closes that run.
        if (current === undefined) throw (await this.#cancelled(pending)) ?? error;
        pending = current;
      } finally {
        gone.stop();
      }
    }
  }

  /** A signal that fires after another process has made or cancelled a pending attempt. */
  #watchPending({ value: { chain }, version }: Pending): { readonly signal: AbortSignal; stop(): void } {
    const gone = new AbortController();
    let cancel = (): void => {};
    const check = (): void => {
      const isOurs = (current: Pending | undefined): boolean => current?.version === version;
      cancel = this.#context.clock.after(CHECK, () => {
        void this.#read(chain).then((current) => (isOurs(current) ? check() : gone.abort()), check);
      });
    };
    check();
    return { signal: gone.signal, stop: () => cancel() };
  }

  /** Waits before a pending attempt. A cancel removes the entry, perhaps in another process. */
  async #pause(pending: Pending, ms: number): Promise<void> {
    const { lockChannel, clock } = this.#context;
    const until = clock.monotonic() + ms;
    const watch = ms > 0 ? new PendingWatch(lockChannel, pending.key) : undefined;
    try {
      do {
        watch?.again();
        await this.#wait(until - clock.monotonic(), watch?.changed);
        const { signal } = this.#options;
        if (signal?.aborted === true) {
          await this.#recordCancel(pending, reasonText(signal.reason));
          throw this.#cancelError(pending.value, reasonText(signal.reason), signal.reason);
        }
        if (watch?.changed.aborted !== true) return;
        const cancelled = await this.#cancelled(pending);
        if (cancelled !== undefined) throw cancelled;
      } while (clock.monotonic() < until);
    } finally {
      watch?.stop();
    }
  }

  /**
   * Records that the caller gave up a pending attempt: starts the attempt and closes it as cancelled, without
   * calling its body. If another run has the lock, writes an audit record instead. Without either, the last
   * record would still promise an attempt.
   */
  async #recordCancel(pending: Pending, reason: string): Promise<void> {
    const { lockChannel, clock, locks } = this.#context;
    const { key, value, version } = pending;
    const { attempt, chain, retry } = value;
    const options = { ...optionsOfAttempt(value), wait: 0, claim: claimOf(this.#context, pending) };
    try {
      const run = await startRun(this.#context, this.#name, options, { attempt, chain, retry });
      await run.cancel(reason);
    } catch (error) {
      // Another process has made or cancelled it.
      if (isRunError(error) && error.code === "LOST") return;
      if (!isRunError(error) || error.code !== "LOCKED") throw error;
      const by = await locks.operator.holder();
      const act = { action: "cancel", name: this.#name, reason, by, details: { chain, attempt } };
      const noted = auditOps(lockChannel as Channel<LocksValue>, clock, act);
      await lockChannel.commit([{ check: key, version }, { delete: key }, ...noted.ops]);
    }
  }

  /** The error for an attempt that another process has cancelled; `undefined` if it was not cancelled. */
  async #cancelled({ value, version }: Pending): Promise<RunError | undefined> {
    const { lockChannel } = this.#context;
    const { chain } = value;
    return this.#asked(async () => {
      if ((await this.#read(chain))?.version === version) return undefined;
      const act = await cancelOf(lockChannel as Channel<LocksValue>, this.#name, chain);
      return act && this.#cancelError(value, `by ${asker(act)}: ${visible(act.reason ?? "no reason given")}`);
    });
  }

  #cancelError({ attempt }: PendingRetry, why: string, cause?: unknown): RunError {
    const text = `attempt ${attempt} of "${this.#name}" was cancelled before it began: ${why}`;
    return new RunError("CANCELLED", this.#name, text, { cause });
  }

  /** Waits for a time, a cancel or `disturbed`. Throws if the manager is closed: others make the attempt. */
  async #wait(ms: number, disturbed?: AbortSignal): Promise<void> {
    const { clock, closing } = this.#context;
    const signals = [closing, this.#options.signal, disturbed].filter((signal) => signal !== undefined);
    if (ms > 0) await pause(clock, ms, signals);
    if (closing.aborted) throw closedError();
  }
}

/** Whether a call failed because the store is away for now. */
function isAway(error: unknown): boolean {
  return isChannelError(error) && error.retryable;
}
