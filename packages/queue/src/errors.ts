/**
 * Why a call of a queue failed.
 *
 * - `INVALID`: a name or an option is wrong, or the schema rejects the data of an item.
 * - `UNKNOWN`: the queue has no such item in a state that the call needs.
 * - `CLOSED`: the queues were closed.
 */
export type QueueErrorCode = "INVALID" | "UNKNOWN" | "CLOSED";

const BRAND = Symbol.for("ojm.QueueError");

/** A call of a queue failed. The message names the queue, the reason, and what to do. */
export class QueueError extends Error {
  override readonly name: string = "QueueError";
  readonly code: QueueErrorCode;
  readonly queue: string;

  constructor(code: QueueErrorCode, queue: string, message: string) {
    super(message);
    Object.defineProperty(this, BRAND, { value: true });
    this.code = code;
    this.queue = queue;
  }
}

/** Whether `error` is a {@link QueueError}, from this copy of the package or another. */
export function isQueueError(error: unknown): error is QueueError {
  return typeof error === "object" && error !== null && BRAND in error;
}
