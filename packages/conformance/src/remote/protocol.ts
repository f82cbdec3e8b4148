import { ChannelError, type ChannelErrorCode, isChannelError } from "@ojm/core";
import type { Commit, KeyRange, ScanRequest, StoredChange, Supports } from "@ojm/core/backend";

/** A call to a client in another process. */
export type Call =
  | { readonly member: "read"; readonly keys: readonly string[] }
  | { readonly member: "scan"; readonly request: ScanRequest }
  | { readonly member: "commit"; readonly commit: Commit }
  | { readonly member: "watch"; readonly range: KeyRange; readonly watch: number }
  | { readonly member: "unwatch"; readonly watch: number }
  | { readonly member: "close" }
  /** Ends the connection to the suite, with the client open. */
  | { readonly member: "leave" };

/** An error as one process sends it to another. */
export interface WireError {
  readonly message: string;
  /** Only for a `ChannelError`. */
  readonly code?: ChannelErrorCode;
  readonly retryable?: boolean;
  readonly outcome?: "not-applied" | "unknown";
}

/** A message from the process that runs the suite. */
export type Request = { readonly id: number; readonly call: Call };

/** A message from the process of the client. */
export type Reply =
  | { readonly type: "open"; readonly supports: Supports }
  | { readonly type: "refused"; readonly error: WireError }
  | { readonly type: "result"; readonly id: number; readonly result: unknown }
  | { readonly type: "error"; readonly id: number; readonly error: WireError }
  | { readonly type: "change"; readonly watch: number; readonly change: StoredChange }
  | { readonly type: "gap"; readonly watch: number }
  | { readonly type: "fail"; readonly watch: number; readonly error: WireError };

export function toWire(error: unknown): WireError {
  const message = error instanceof Error ? error.message : String(error);
  if (!isChannelError(error)) return { message };
  const { code, retryable, outcome } = error;
  return { message, code, retryable, outcome };
}

export function fromWire({ message, code, retryable = false, outcome = "not-applied" }: WireError): Error {
  return code === undefined ? new Error(message) : new ChannelError(code, message, { retryable, outcome });
}
