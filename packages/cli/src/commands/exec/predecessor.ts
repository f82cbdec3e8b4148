import { setTimeout as pause } from "node:timers/promises";
import { type Channel, type JobManager, type Key, parseRunId, type Run } from "@ojm/core";
import { identityOf, type ProcessIdentity, processState, unlessCorrupt } from "@ojm/core/internal";

/**
 * The key of the note about a command that has a lock, or had it when its ojm was killed. It is in the
 * channel of the locks: in a Redis Cluster, any other channel may be on another node than the lock of the
 * run.
 */
const execKey = (lock: string): Key => ["exec", lock];

/** How often to check whether a process is gone, in ms. */
const LOOK = 200;

/** How long a note lives that is not removed, in ms: 30 days. */
const NOTE_TTL = 30 * 86_400_000;

/** The process of a command. */
export interface CommandNote extends ProcessIdentity {
  /** The id of its run. */
  readonly run: string;
  /** Its ojm. Older versions did not note it. */
  readonly ojm?: ProcessIdentity;
}

/**
 * Whether a value is the note of a command. Any program can write to a store, and the pid
 * becomes part of a printed `kill`: it must not name init or a process group.
 */
export function isCommandNote(value: unknown): value is CommandNote {
  const { run, ojm, ...process } = (value ?? {}) as { readonly [K in keyof CommandNote]?: unknown };
  if (typeof run !== "string" || parseRunId(run) === undefined) return false;
  return isProcess(process) && (ojm === undefined || isProcess(ojm));
}

/** Whether a value is a host name that is safe in a printed command. */
export function isHost(value: unknown): value is string {
  return typeof value === "string" && /^[\w.:-]{1,255}$/.test(value);
}

function isProcess(value: unknown): value is ProcessIdentity {
  const { host, pid, boot, namespace, started } = (value ?? {}) as { readonly [K in keyof ProcessIdentity]?: unknown };
  if (!Number.isSafeInteger(pid) || (pid as number) <= 1) return false;
  return [boot, namespace, started].every((text) => typeof text === "string") && isHost(host);
}

/**
 * The command of the previous run. When an ojm is killed, its lock is free at once, and its command
 * continues. On the same machine, the next ojm finds the command by this note and does not start its own.
 */
export class Predecessor {
  readonly #locks: Channel<CommandNote>;
  readonly #key: Key;
  readonly #manager: JobManager;
  readonly #lock: string;

  constructor(manager: JobManager, lock: string) {
    this.#manager = manager;
    this.#lock = lock;
    this.#locks = manager.channels.locks as Channel<unknown> as Channel<CommandNote>;
    this.#key = execKey(lock);
  }

  /** The command that is certainly running; `undefined` if none is, or if that is unknown. */
  async living(): Promise<CommandNote | undefined> {
    const entry = await unlessCorrupt(this.#locks.get(this.#key));
    return isCommandNote(entry) && processState(entry) === "there" ? entry : undefined;
  }

  /** The command that runs on without its ojm. Call it before a run, which holds the lock itself. */
  async orphan(): Promise<CommandNote | undefined> {
    const living = await this.living();
    if (living === undefined) return undefined;
    // The command of a run in progress has a note too.
    const isHeld = (await this.#manager.heldLocks()).some(({ name }) => name === this.#lock);
    return isHeld ? undefined : living;
  }

  /** Waits until the command has ended, `wait` ms at most. Resolves to the command if it is still running. */
  async outlived(wait: number, signal: AbortSignal): Promise<CommandNote | undefined> {
    const until = performance.now() + wait;
    for (;;) {
      const living = await this.living();
      if (living === undefined || performance.now() >= until || signal.aborted) return living;
      // Poll: the system does not report the end of a process that is not a child.
      await pause(LOOK, undefined, { signal }).catch(() => {});
    }
  }

  /** Notes the process of a command before it starts. Throws if the run has lost its lock. */
  async note(run: Run, identity: ProcessIdentity): Promise<void> {
    const value = { ...identity, run: run.id, ojm: identityOf(process.pid) };
    await run.fenced(this.#locks, [{ put: this.#key, value, ttl: NOTE_TTL }]);
  }

  /** Removes the note of a command that has ended. */
  async forget(run: Run): Promise<void> {
    await run.fenced(this.#locks, [{ delete: this.#key }]);
  }
}

/** Why a command does not start while an earlier one is running. */
export function sayLiving(note: CommandNote): string {
  return `the command of ${note.run} is still running, as pid ${note.pid}: ${sayOjm(note)}`;
}

/** What happened to the ojm of a command that outlived its run. */
export function sayOjm(note: CommandNote): string {
  const { host, ojm } = note;
  const state = ojm && processState(ojm);
  // Ctrl-Z, kill -STOP or a suspended virtual machine: the ojm ends its command as soon as it continues.
  if (state === "there") return `its ojm, pid ${ojm?.pid}, is stopped or hangs, and has lost the lock`;
  return processState(note) === "there" || state === "gone"
    ? "its ojm was killed"
    : `its ojm was killed, or ${host} is cut off`;
}
