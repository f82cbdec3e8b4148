import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type {
  Commit,
  CommitOutcome,
  KeyRange,
  ScanPage,
  ScanRequest,
  StoredChange,
  StoredEntry,
} from "@ojm/core/backend";

/** A message to the server. Each message is one line of JSON. */
export type Question =
  | { readonly id: number; readonly read: readonly string[] }
  | { readonly id: number; readonly scan: ScanRequest }
  | { readonly id: number; readonly commit: Commit }
  | { readonly id: number; readonly watch: KeyRange };

export type Answer =
  | { readonly id: number; readonly answer: (StoredEntry | null)[] | ScanPage | CommitOutcome | "watching" }
  | { readonly watch: number; readonly change: StoredChange };

/** Calls `take` for each incoming message. */
export function receive<T>(stream: Readable, take: (message: T) => void): void {
  const lines = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
  lines.on("line", (line) => take(JSON.parse(line) as T));
  // The interface repeats the errors of the stream. The owner of the stream handles them, so ignore them
  // here.
  lines.on("error", () => {});
}

export function send<T>(stream: Writable, message: T): void {
  if (stream.writable) stream.write(`${JSON.stringify(message)}\n`);
}
