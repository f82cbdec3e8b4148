import type { Channel, JobManager, PendingRetry } from "@ojm/core";
import { steadyWatch } from "./steady-watch.js";

/** A job that waits for its next attempt. */
export interface Retrying extends Pick<PendingRetry, "name" | "chain" | "attempt" | "due" | "error"> {
  /** The most attempts that it may have. */
  readonly attempts: number;
  /** The session of the process that makes it. */
  readonly by?: string;
}

/** The attempts that are to come, as the store has them. */
export class LiveRetries {
  readonly #all: Map<string, Retrying> = new Map();
  readonly #manager: JobManager;
  readonly #onChange: () => void;

  constructor(manager: JobManager, onChange: () => void) {
    this.#manager = manager;
    this.#onChange = onChange;
  }

  /** Those that are due first, first. */
  all(): Retrying[] {
    return [...this.#all.values()].sort((a, b) => a.due - b.due || (a.name < b.name ? -1 : 1));
  }

  /** Follows them until the signal fires. */
  async follow(signal: AbortSignal): Promise<void> {
    const locks = this.#manager.channels.locks as Channel<unknown>;
    let unseen: Set<string> | undefined;
    for await (const event of steadyWatch(locks, ["retry"], signal)) {
      if (event.type === "gap") unseen = new Set(this.#all.keys());
      else if (event.type === "synced") {
        for (const id of unseen ?? []) this.#all.delete(id);
        unseen = undefined;
      } else {
        const id = JSON.stringify(event.type === "put" ? event.entry.key : event.key);
        unseen?.delete(id);
        const retrying = event.type === "put" ? retryingOf(event.entry.value) : undefined;
        if (retrying === undefined) this.#all.delete(id);
        else this.#all.set(id, retrying);
      }
      this.#onChange();
    }
  }
}

/** `undefined` for what somebody else wrote. */
function retryingOf(value: unknown): Retrying | undefined {
  const { name, chain, attempt, due, retry, error, by } = (value ?? {}) as Partial<PendingRetry>;
  const attempts = retry?.attempts;
  const isText = typeof name === "string" && typeof chain === "string";
  if (!isText || typeof attempt !== "number" || typeof due !== "number" || typeof attempts !== "number")
    return undefined;
  return {
    ...{ name, chain, attempt, attempts, due },
    ...(typeof error === "string" && { error }),
    ...(typeof by?.instance === "string" && { by: by.instance }),
  };
}
