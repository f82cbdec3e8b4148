import { whenAborted } from "../abort.js";
import type { Backend } from "./backend.js";
import { ChannelError } from "./errors.js";
import type { ChannelOrigin } from "./origin.js";

/** An open backend and how many channels use it. The last one to leave closes it. */
export class Store {
  readonly backend: Backend;
  /** How it is opened, if another thread can do the same. */
  readonly origin: Omit<ChannelOrigin, "name"> | undefined;
  readonly #onLast: () => Promise<void>;
  #users = 0;
  #closing: Promise<void> | undefined;

  constructor(backend: Backend, onLast: () => Promise<void>, origin?: Omit<ChannelOrigin, "name">) {
    this.backend = backend;
    this.origin = origin;
    this.#onLast = onLast;
  }

  /** False if the last user has left already. */
  join(): boolean {
    if (this.#closing !== undefined) return false;
    this.#users++;
    return true;
  }

  async leave(): Promise<void> {
    if (--this.#users > 0) return;
    this.#closing = this.#onLast();
    await this.#closing;
  }

  /** Resolves once it is closed, well or not. */
  get closed(): Promise<void> | undefined {
    return this.#closing?.catch(() => {});
  }
}

/**
 * Ends the waiting for `work` when `signal` fires. The work itself may go on: for a write that was handed over,
 * nobody can say whether it was applied.
 */
export function abortable<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  outcome: "not-applied" | "unknown",
): Promise<T> {
  return signal === undefined ? work : untilAbort(work, signal, outcome);
}

async function untilAbort<T>(work: Promise<T>, signal: AbortSignal, outcome: "not-applied" | "unknown"): Promise<T> {
  let stopListening: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = (): void => reject(abortError(signal, outcome));
    if (signal.aborted) onAbort();
    else stopListening = whenAborted(signal, onAbort);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    stopListening?.();
  }
}

/** Throws if `signal` fired already, before anything was sent. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal, "not-applied");
}

function abortError(signal: AbortSignal, outcome: "not-applied" | "unknown"): ChannelError {
  return new ChannelError("ABORTED", "the call was aborted by its signal", { outcome, cause: signal.reason });
}
