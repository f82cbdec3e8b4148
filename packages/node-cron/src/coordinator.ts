import { type CloseOptions, type Duration, isRunError, type JobManager, type Run } from "@ojm/core";
import { ForeignTicks } from "@ojm/schedule/internal";
import type { NodeCron, RunCoordinator, ScheduledTask, TaskContext } from "node-cron";

/** The key of a tick, as node-cron makes it: the name of the task, and the time of the tick. */
const KEY = /^(.+):(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)$/s;

const keyOf = ({ task, date }: TaskContext): string => `${task?.name}:${date.toISOString()}`;

/** How long a task may take to begin once its run has started, in ms. It needs no more than a message. */
const BEGINS_WITHIN = 10_000;

/** The most ticks that are remembered while the store does not answer. */
const MOST_MISSED = 1_000;

/** Options of {@link ojmCoordinator}. */
export interface CoordinatorOptions {
  /** The longest time that a run may hold its lock. Then its signal fires. Default: 1 hour. */
  readonly timeout?: Duration;
}

/** A tick that this process runs. */
interface OpenTick {
  readonly task: ScheduledTask | undefined;
  run?: Run;
  readonly isDone: Promise<unknown>;
  done(result?: unknown): void;
  failed(error: unknown): void;
  /** Set once the task has called its function. */
  hasBegun?: true;
  /** The error of the task: node-cron has reported it. */
  error?: unknown;
  ended?: Promise<unknown>;
}

/** A tick that this process could not ask the store for. */
interface MissedTick {
  readonly name: string;
  readonly at: number;
  readonly error: string;
}

/**
 * Makes a run coordinator for node-cron: of all replicas that share the store of the manager, one runs each
 * tick of a task with `distributed: true`. The run has a lock, a record with the error or the result of the
 * task, and an outcome for its tick.
 *
 * `cron`: the node-cron that schedules the tasks, because its tasks report how they ended.
 *
 * @example
 * const manager = await openJobManager("redis://jobs.example.com");
 * const coordinator = ojmCoordinator(manager, cron);
 * cron.setRunCoordinator(coordinator);
 * cron.schedule("0 2 * * *", writeReport, { name: "nightly-report", distributed: true });
 *
 * @see https://nodecron.com/distributed-coordination
 */
export function ojmCoordinator(
  manager: JobManager,
  cron: Pick<NodeCron, "getTasks">,
  options?: CoordinatorOptions,
): OjmCoordinator {
  return new OjmCoordinator(manager, cron, options);
}

/** A run coordinator for node-cron: see {@link ojmCoordinator}. */
export class OjmCoordinator implements RunCoordinator {
  readonly #ticks: ForeignTicks;
  readonly #cron: Pick<NodeCron, "getTasks">;
  readonly #timeout: Duration | undefined;
  readonly #open: Map<string, OpenTick> = new Map();
  readonly #heard: WeakSet<ScheduledTask> = new WeakSet();
  readonly #starting: Set<Promise<unknown>> = new Set();
  #missed: MissedTick[] = [];
  #closed = false;

  /** @internal Use {@link ojmCoordinator}. */
  constructor(manager: JobManager, cron: Pick<NodeCron, "getTasks">, { timeout }: CoordinatorOptions = {}) {
    this.#ticks = new ForeignTicks(manager);
    this.#cron = cron;
    this.#timeout = timeout;
  }

  /**
   * The run of a task, for its function: it has the signal, the fence and the log. `undefined` in a
   * background task, which runs in another process, and for `task.execute()`, which node-cron does not
   * coordinate.
   *
   * @example
   * cron.schedule("0 2 * * *", (context) => report({ signal: coordinator.runOf(context)?.signal }), options);
   */
  runOf(context: TaskContext): Run | undefined {
    return this.#open.get(keyOf(context))?.run;
  }

  /**
   * Called by node-cron for each tick. Starts the run of the tick, unless another replica has, or the job is
   * running. The tick's outcome is written in the commit that takes the lock, so one replica gets `true`.
   *
   * @throws Error if the store fails: node-cron does not run the tick then
   */
  shouldRun(key: string): Promise<boolean> {
    const starting = this.#begin(key).finally(() => this.#starting.delete(starting));
    this.#starting.add(starting);
    return starting;
  }

  /**
   * Called by node-cron when the task has ended. Resolves once the record is closed.
   *
   * @throws RunError if the run was over before the task ended; ChannelError if the store fails
   */
  async onComplete(key: string): Promise<void> {
    const open = this.#open.get(key);
    if (open === undefined) return;
    open.done();
    try {
      await open.ended;
    } catch (error) {
      if (error !== open.error) throw error;
    } finally {
      this.#open.delete(key);
    }
  }

  /**
   * From this call on, this process starts no run: other replicas run the ticks. Signals the active runs, and
   * keeps their locks until their tasks have returned. A run that is still active after the `grace` is closed
   * as `lost`. Stop the tasks first, and close the manager afterwards.
   *
   * @example
   * await coordinator.close({ grace: "20s" });
   * await manager.close();
   */
  async close(options?: CloseOptions): Promise<void> {
    this.#closed = true;
    // Their tasks begin in any case: closing the runs first would leave ticks that no replica has run.
    await Promise.allSettled(this.#starting);
    await this.#ticks.close(options);
  }

  async #begin(key: string): Promise<boolean> {
    const [, name = "", time = ""] = KEY.exec(key) ?? [];
    const at = Date.parse(time);
    if (Number.isNaN(at)) throw new Error(`"${key}" is not the key of a tick of node-cron`);
    if (this.#closed) return false;
    const task = this.#taskOf(name);
    const open = openTick(task);
    const job = {
      name,
      trigger: "node-cron",
      meta: { tick: time, ...(task !== undefined && { cron: task.getPattern() }) },
      ...(this.#timeout !== undefined && { timeout: this.#timeout }),
      body: (run: Run) => {
        open.run = run;
        this.#open.set(key, open);
        return open.isDone;
      },
    };
    try {
      const begun = await this.#ticks.begin(job, at);
      void this.#recordMissed();
      if (begun === undefined) return false;
      open.ended = begun.ended;
    } catch (error) {
      if (isRunError(error)) throw error;
      const why = error instanceof Error ? error.message : String(error);
      if (this.#missed.length < MOST_MISSED) this.#missed.push({ name, at, error: why });
      throw new Error(`the tick of ${time} of "${name}" is not run by this process: ${why}`, { cause: error });
    }
    if (task !== undefined) this.#expectBegin(key, open);
    return true;
  }

  /** The task of a name. Listens to how its runs end, from the first tick on. */
  #taskOf(name: string): ScheduledTask | undefined {
    const tasks = [...this.#cron.getTasks().values()].filter((task) => task.name === name);
    for (const task of tasks) {
      if (this.#heard.has(task)) continue;
      this.#heard.add(task);
      const openOf = (context: TaskContext): OpenTick | undefined => this.#open.get(keyOf(context));
      task.on("execution:started", (context) => {
        const open = openOf(context);
        if (open !== undefined) open.hasBegun = true;
      });
      task.on("execution:finished", (context) => openOf(context)?.done(context.execution?.result));
      task.on("execution:failed", (context) => openOf(context)?.failed(context.execution?.error));
      // The process of a background task is gone: node-cron does not call `onComplete`.
      task.on("task:failed", ({ error }) => this.#fail(name, error ?? new Error("the process of the task is gone")));
    }
    return tasks[0];
  }

  #fail(name: string, error: unknown): void {
    for (const [key, open] of this.#open) {
      if (open.task?.name !== name) continue;
      open.failed(error);
      this.#open.delete(key);
    }
  }

  /**
   * A background task waits 5 s for its coordinator, and is not called if the store was slower. Its run must
   * not keep the lock then.
   */
  #expectBegin(key: string, open: OpenTick): void {
    const check = setTimeout(() => {
      if (open.hasBegun) return;
      open.failed(new Error("the task did not begin, although its run had started"));
      this.#open.delete(key);
    }, BEGINS_WITHIN);
    check.unref();
    open.isDone.catch(() => {}).finally(() => clearTimeout(check));
  }

  /** Records the ticks that no replica ran while the store did not answer. */
  async #recordMissed(): Promise<void> {
    const missed = this.#missed;
    this.#missed = [];
    for (const { name, at, error } of missed) {
      const why = { outcome: "missed", reason: "policy", evidence: { error } } as const;
      // The store is away again: the other ticks stay without an outcome.
      await this.#ticks.settle(name, at, why).catch(() => {});
    }
  }
}

function openTick(task: ScheduledTask | undefined): OpenTick {
  let done: OpenTick["done"] = () => {};
  let reject: (error: unknown) => void = () => {};
  const isDone = new Promise<unknown>((resolve, refuse) => {
    done = resolve;
    reject = refuse;
  });
  const open: OpenTick = {
    task,
    isDone,
    done,
    failed: (error) => {
      open.error = error;
      reject(error);
    },
  };
  return open;
}
