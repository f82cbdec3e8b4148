import { setTimeout as pause } from "node:timers/promises";
import type { Channel, JobManager, Key, Run } from "@ojm/core";
import { type ProcessIdentity, processState } from "@ojm/core/backend";

/**
 * Where the process is kept of a command that runs, or ran when its ojm was killed. In the channel of the
 * locks: in a Redis Cluster, each other channel may be on another node than the lock of the run.
 */
const execKey = (name: string): Key => ["exec", name];

/** How often to look whether a process is gone, in ms. */
const LOOK = 200;

/** How long an entry is kept that nobody removes, in ms: 30 days. */
const LIFE = 30 * 86_400_000;

interface Entry extends ProcessIdentity {
  /** The id of its run. */
  readonly run: string;
}

/**
 * The command of the run before. When an ojm is killed, its lock is free at once, and its command goes on: on
 * the same machine, the next ojm finds it by this entry and does not begin.
 */
export class Predecessor {
  readonly #locks: Channel<Entry>;
  readonly #key: Key;
  readonly #manager: JobManager;
  readonly #name: string;

  constructor(manager: JobManager, name: string) {
    this.#manager = manager;
    this.#name = name;
    this.#locks = manager.channels.locks as Channel<unknown> as Channel<Entry>;
    this.#key = execKey(name);
  }

  /** The command that certainly goes on; `undefined` if none does, or nobody can tell. */
  async living(): Promise<Entry | undefined> {
    const entry = await this.#locks.get(this.#key);
    return entry !== undefined && processState(entry) === "there" ? entry : undefined;
  }

  /** The command that goes on although its ojm is gone. Before a run: in one, the lock is our own. */
  async orphan(): Promise<Entry | undefined> {
    const living = await this.living();
    if (living === undefined) return undefined;
    // The command of a run that goes on has a note too.
    const isHeld = (await this.#manager.locks()).some(({ name }) => name === this.#name);
    return isHeld ? undefined : living;
  }

  /** Waits until no command goes on, `wait` ms at most. Resolves to the one that still does. */
  async outlived(wait: number, signal: AbortSignal): Promise<Entry | undefined> {
    const until = performance.now() + wait;
    for (;;) {
      const living = await this.living();
      if (living === undefined || performance.now() >= until || signal.aborted) return living;
      // Nobody tells of the end of a process that is not a child.
      await pause(LOOK, undefined, { signal }).catch(() => {});
    }
  }

  /** Notes the process of a command before it begins. Throws if the run has lost its lock. */
  async note(run: Run, identity: ProcessIdentity): Promise<void> {
    await run.fenced(this.#locks, [{ put: this.#key, value: { ...identity, run: run.id }, ttl: LIFE }]);
  }

  /** Removes the note of a command that is over. */
  async forget(run: Run): Promise<void> {
    await run.fenced(this.#locks, [{ delete: this.#key }]);
  }
}

/** Why a command does not begin while an earlier one goes on. */
export function sayLiving({ run, pid }: { readonly run: string; readonly pid: number }): string {
  return `the command of ${run} still goes on, as pid ${pid}: its ojm was killed`;
}
