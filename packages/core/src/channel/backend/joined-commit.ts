import { ChannelError } from "../errors.js";
import type { CommitOutcome } from "./backend.js";

/** One commit of a call that carries several, with an end of its own: for backends that join commits. */
export class JoinedCommit {
  readonly outcome: Promise<CommitOutcome>;
  /** Whether its call may have reached the server. */
  isSent = false;
  isOver = false;
  /** Called after this commit was aborted. */
  onAbort: ((reason: ChannelError) => void) | undefined;
  readonly #signal: AbortSignal | undefined;
  #resolve: (outcome: CommitOutcome) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    signal?.addEventListener("abort", this);
    if (signal?.aborted === true) this.handleEvent();
  }

  /** The listener of the signal. */
  handleEvent(): void {
    const outcome = this.isSent ? "unknown" : "not-applied";
    const cause = this.#signal?.reason;
    const error = new ChannelError("ABORTED", "the call was aborted by its signal", { outcome, cause });
    this.#end();
    this.#reject(error);
    this.onAbort?.(error);
  }

  answer(outcome: CommitOutcome): void {
    if (this.isOver) return;
    this.#end();
    this.#resolve(outcome);
  }

  /** Ends it with the error of the whole call. Each commit gets an error of its own. */
  fail({ code, message, retryable, outcome, cause }: ChannelError): void {
    if (this.isOver) return;
    this.#end();
    this.#reject(new ChannelError(code, message, { retryable, outcome, cause }));
  }

  #end(): void {
    this.isOver = true;
    this.#signal?.removeEventListener("abort", this);
  }
}
