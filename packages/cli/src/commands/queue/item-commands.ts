import { isChannelError, type JobManager } from "@ojm/core";
import type { Item } from "@ojm/queue";
import { EXIT } from "../../errors.js";
import { printError } from "../../output/print.js";
import { sayDuration } from "../../output/times.js";
import { type Ended, GuardedProcess } from "../exec/guarded-process.js";
import { Predecessor, sayLiving } from "../exec/predecessor.js";
import { blockedBy, failedBy, runNoted } from "../exec/supervise.js";

/** How the commands of items are run. */
export interface ItemCommandOptions {
  readonly words: readonly string[];
  /** How long a command has to end after the SIGTERM of a timeout or a cancel, in ms. */
  readonly grace: number;
  /** How long an item waits that its command gave back, in ms. */
  readonly later: number;
}

/** How long an item waits that was given back because the store was away, in ms. */
const AGAIN = 1_000;

/** The store was away before the command of an item began. */
class NotBegun extends Error {}

function notBegun(error: unknown): never {
  if (isChannelError(error) && error.retryable) throw new NotBegun(error.message, { cause: error });
  throw error;
}

/** Runs one command for each item, with the data of the item on its stdin. */
export class ItemCommands {
  readonly #manager: JobManager;
  readonly #options: ItemCommandOptions;
  readonly #running: Set<GuardedProcess> = new Set();
  readonly #stopping: AbortController = new AbortController();
  /** Why the commands were ended before they ended by themselves. */
  #endedBy: string | undefined;
  /** How many attempts failed. */
  failed = 0;

  constructor(manager: JobManager, options: ItemCommandOptions) {
    this.#manager = manager;
    this.#options = options;
    // Each command listens to these streams while it writes to them.
    for (const stream of [process.stdout, process.stderr]) stream.setMaxListeners(0);
  }

  get running(): number {
    return this.#running.size;
  }

  /** Starts no further command. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Ends all commands. Their items are given back. */
  end(signal: "SIGTERM" | "SIGKILL", why: string): void {
    this.stop();
    this.#endedBy ??= why;
    for (const command of this.#running) command.kill(signal);
  }

  /** The handler of the worker. */
  async handle(item: Item): Promise<void> {
    const { id, queue, signal } = item;
    try {
      await this.#run(item);
    } catch (error) {
      // The store was away for a moment, and the command has done nothing.
      if (!(error instanceof NotBegun) || signal.aborted) throw error;
      const why = `its command did not begin: ${error.message}`;
      printError(`ojm: gives the item ${id} of "${queue}" back: ${why}`);
      await item.giveBack(why, { delay: AGAIN });
    }
  }

  async #run(item: Item): Promise<void> {
    const { run } = item;
    const predecessor = new Predecessor(this.#manager, run.lock);
    if (await this.#isBlocked(item, predecessor).catch(notBegun)) return;
    const { words } = this.#options;
    const command = new GuardedProcess(
      words,
      environment(item),
      (text, stream) => run.log.write(text, stream),
      `${JSON.stringify(item.data)}\n`,
    );
    this.#running.add(command);
    let hasBegun = false;
    const ended = await runNoted(run, command, predecessor, {
      ...this.#limits(item),
      mayBegin: () => !this.#stopping.signal.aborted,
      began: () => {
        hasBegun = true;
      },
    })
      .catch((error) => (hasBegun ? Promise.reject(error) : notBegun(error)))
      .finally(() => this.#running.delete(command));
    if (ended.exit !== undefined && hasBegun) run.exited(...ended.exit);
    await predecessor.forget(run).catch(() => {});
    await this.#answer(item, ended, hasBegun);
  }

  /** The SIGTERM comes so early that the command has its grace while the item is still its own. */
  #limits({ timeout }: Item): { readonly timeout: number; readonly grace: number } {
    const grace = Math.min(this.#options.grace, timeout / 2);
    return { timeout: timeout - grace, grace };
  }

  async #answer(item: Item, ended: Ended, hasBegun: boolean): Promise<void> {
    if (ended.code === EXIT.ok) return;
    const { run } = item;
    if (!run.signal.aborted) {
      if (!hasBegun) return item.giveBack("its worker closed before the command began");
      if (this.#endedBy !== undefined) return item.giveBack(`its worker got ${this.#endedBy}: ${ended.text}`);
      if (ended.code === EXIT.locked && ended.isLate === undefined) return this.#later(item);
    }
    const error = await failedBy(run, ended);
    this.failed++;
    const { id, queue, attempt, attempts, signal } = item;
    const how = signal.aborted ? `is over: ${(signal.reason as Error).message}` : `failed: ${ended.text}`;
    printError(`ojm: attempt ${attempt} of ${attempts} of the item ${id} of "${queue}" ${how}`);
    throw error;
  }

  /** The command asked for a later attempt, as sendmail does by EX_TEMPFAIL. */
  #later(item: Item): Promise<void> {
    const { later: delay } = this.#options;
    const text = `its command ended with exit code ${EXIT.locked}: try again in ${sayDuration(delay)}`;
    return item.giveBack(text, { delay });
  }

  /**
   * Waits for the command of an earlier attempt whose ojm was killed. Resolves to whether this worker closed
   * meanwhile: then the item is given back.
   */
  async #isBlocked(item: Item, predecessor: Predecessor): Promise<boolean> {
    const { run, signal } = item;
    const either = AbortSignal.any([signal, this.#stopping.signal]);
    const before = await blockedBy(run, predecessor, Number.POSITIVE_INFINITY, either);
    if (signal.aborted) throw signal.reason;
    if (before === undefined) return false;
    await item.giveBack(`its worker closed, and the command had not begun: ${sayLiving(before)}`);
    return true;
  }
}

function environment({ id, queue, attempt, fence, run }: Item): NodeJS.ProcessEnv {
  return {
    ...process.env,
    OJM_RUN_ID: run.id,
    OJM_FENCE: fence,
    OJM_QUEUE: queue,
    OJM_ITEM: id,
    OJM_ATTEMPT: String(attempt),
  };
}
