import type { JobManager } from "@ojm/core";
import { isSession, type ProcessIdentity, processIsGone } from "@ojm/core/internal";
import { steadyWatch } from "./steady-watch.js";

/** The processes that hold or want a lock, as their sessions show: they renew them while they live. */
export class LiveSessions {
  readonly #processes: Map<string, ProcessIdentity> = new Map();
  #isComplete = false;
  readonly #manager: JobManager;
  readonly #onChange: () => void;

  constructor(manager: JobManager, onChange: () => void) {
    this.#manager = manager;
    this.#onChange = onChange;
  }

  /** Each process once, as `host pid`. */
  processes(): ReadonlySet<string> {
    return new Set([...this.#processes.values()].map(({ host, pid }) => `${host} ${pid}`));
  }

  /** Whether a session is certainly over: its process died, or has not renewed it. */
  isOver(id: string): boolean {
    const process = this.#processes.get(id);
    return this.#isComplete && (process === undefined || processIsGone(process));
  }

  /** Follows the sessions until the signal fires. */
  async follow(signal: AbortSignal): Promise<void> {
    let unseen: Set<string> | undefined;
    for await (const event of steadyWatch(this.#manager.channels.locks, ["session"], signal)) {
      if (event.type === "gap") unseen = new Set(this.#processes.keys());
      else if (event.type === "synced") {
        for (const id of unseen ?? []) this.#processes.delete(id);
        unseen = undefined;
        this.#isComplete = true;
      } else {
        const [, id, part] = (event.type === "put" ? event.entry.key : event.key) as readonly unknown[];
        if (typeof id !== "string" || part !== undefined) continue;
        unseen?.delete(id);
        const value = event.type === "put" ? event.entry.value : undefined;
        // A hold is a session that no process has.
        if (isSession(value, id) && value.hold !== true) this.#processes.set(id, value.process);
        else this.#processes.delete(id);
      }
      this.#onChange();
    }
  }
}
