import { setTimeout as pause } from "node:timers/promises";
import { type Channel, type JobManager, type Key, parseRunId, type Run } from "@ojm/core";
import { identityOf, type ProcessIdentity, processState, unlessCorrupt } from "@ojm/core/internal";

/**
 * Where the process is kept of a command that runs, or ran when its ojm was killed. In the channel of the
 * locks: in a Redis Cluster, each other channel may be on another node than the lock of the run.
 */
const execKey = (name: string): Key => ["exec", name];

/** How often to look whether a process is gone, in ms. */
const LOOK = 200;

/** How long an entry is kept that nobody removes, in ms: 30 days. */
const LIFE = 30 * 86_400_000;

/** The process of a command. */
export interface CommandNote extends ProcessIdentity {
  /** The id of its run. */
  readonly run: string;
  /** Its ojm. A version before this one did not note it. */
  readonly ojm?: ProcessIdentity;
}

/**
 * Whether a value is the note of a command of this name. Anybody can write to a store, and the pid becomes
 * part
 * of a printed `kill`: neither init nor a process group may be named by it.
 */
export function isCommandNote(value: unknown, name: string): value is CommandNote {
  const { run, ojm, ...process } = (value ?? {}) as { readonly [K in keyof CommandNote]?: unknown };
  if (typeof run !== "string" || parseRunId(run)?.name !== name) return false;
  return isProcess(process) && (ojm === undefined || isProcess(ojm));
}

/** A name of a host that can stand in a printed command. */
export function isHost(value: unknown): value is string {
  return typeof value === "string" && /^[\w.:-]{1,255}$/.test(value);
}

function isProcess(value: unknown): value is ProcessIdentity {
  const { host, pid, boot, namespace, started } = (value ?? {}) as { readonly [K in keyof ProcessIdentity]?: unknown };
  if (!Number.isSafeInteger(pid) || (pid as number) <= 1) return false;
  return [boot, namespace, started].every((text) => typeof text === "string") && isHost(host);
}

/**
 * The command of the run before. When an ojm is killed, its lock is free at once, and its command goes on: on
 * the same machine, the next ojm finds it by this entry and does not begin.
 */
export class Predecessor {
  readonly #locks: Channel<CommandNote>;
  readonly #key: Key;
  readonly #manager: JobManager;
  readonly #name: string;

  constructor(manager: JobManager, name: string) {
    this.#manager = manager;
    this.#name = name;
    this.#locks = manager.channels.locks as Channel<unknown> as Channel<CommandNote>;
    this.#key = execKey(name);
  }

  /** The command that certainly goes on; `undefined` if none does, or nobody can tell. */
  async living(): Promise<CommandNote | undefined> {
    const entry = await unlessCorrupt(this.#locks.get(this.#key));
    return isCommandNote(entry, this.#name) && processState(entry) === "there" ? entry : undefined;
  }

  /** The command that goes on although its ojm is gone. Before a run: in one, the lock is our own. */
  async orphan(): Promise<CommandNote | undefined> {
    const living = await this.living();
    if (living === undefined) return undefined;
    // The command of a run that goes on has a note too.
    const isHeld = (await this.#manager.locks()).some(({ name }) => name === this.#name);
    return isHeld ? undefined : living;
  }

  /** Waits until no command goes on, `wait` ms at most. Resolves to the one that still does. */
  async outlived(wait: number, signal: AbortSignal): Promise<CommandNote | undefined> {
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
    const value = { ...identity, run: run.id, ojm: identityOf(process.pid) };
    await run.fenced(this.#locks, [{ put: this.#key, value, ttl: LIFE }]);
  }

  /** Removes the note of a command that is over. */
  async forget(run: Run): Promise<void> {
    await run.fenced(this.#locks, [{ delete: this.#key }]);
  }
}

/** Why a command does not begin while an earlier one goes on. */
export function sayLiving(note: CommandNote): string {
  return `the command of ${note.run} still goes on, as pid ${note.pid}: ${sayOjm(note)}`;
}

/** What became of the ojm of a command that outlived its run. */
export function sayOjm(note: CommandNote): string {
  const { host, ojm } = note;
  const state = ojm && processState(ojm);
  // Ctrl-Z, kill -STOP or a virtual machine that was suspended: it ends its command as soon as it goes on.
  if (state === "there") return `its ojm, pid ${ojm?.pid}, is stopped or hangs, and has lost the lock`;
  return processState(note) === "there" || state === "gone"
    ? "its ojm was killed"
    : `its ojm was killed, or ${host} is cut off`;
}
