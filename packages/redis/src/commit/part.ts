import { ChannelError, type Commit, type CommitOutcome } from "@ojm/core/backend";
import type { EncodedCommit } from "./encode.js";
import { type CommitReply, outcomeOf } from "./reply.js";

/** One commit of a call of several, with an end of its own. */
export class Part {
  readonly encoded: EncodedCommit;
  readonly outcome: Promise<CommitOutcome>;
  /** Whether it may have reached the server. */
  isSent = false;
  isOver = false;
  /** Called after this part was aborted. */
  onAbort: ((reason: ChannelError) => void) | undefined;
  readonly #commit: Commit;
  readonly #where: string;
  readonly #signal: AbortSignal | undefined;
  #resolve: (outcome: CommitOutcome) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(commit: Commit, encoded: EncodedCommit, where: string, signal: AbortSignal | undefined) {
    this.encoded = encoded;
    this.#commit = commit;
    this.#where = where;
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
    const error = new ChannelError("ABORTED", "the call was aborted by its signal", {
      outcome,
      cause: this.#signal?.reason,
    });
    this.#end();
    this.#reject(error);
    this.onAbort?.(error);
  }

  /** Ends it with the script's reply for this part. */
  answer(reply: CommitReply | undefined): void {
    if (this.isOver) return;
    this.#end();
    try {
      if (reply === undefined)
        throw new ChannelError("FAILED", `${this.#where} gave no answer`, { outcome: "unknown" });
      this.#resolve(outcomeOf(reply, this.#commit, this.encoded, this.#where));
    } catch (error) {
      this.#reject(error);
    }
  }

  /** Ends it with the error of the whole call. Each part gets an error of its own. */
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
