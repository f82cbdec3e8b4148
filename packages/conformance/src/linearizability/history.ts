import type { StoredCheck } from "@ojm/core/backend";

/** What an operation saw under a key. */
export interface Seen {
  readonly value: string;
  readonly version: string;
}

/**
 * Common to all operations: the client, and when the call began and ended. Times are steps of one counter
 * that all clients share.
 */
interface Timed {
  readonly id: number;
  readonly client: number;
  readonly invoked: number;
  /** `Infinity` without an answer: the operation may take effect at any later time, or never. */
  readonly returned: number;
}

/** Keys that were read at one moment, by a read or as one page of a scan. */
export interface ReadOperation extends Timed {
  readonly kind: "read";
  readonly keys: readonly string[];
  readonly seen: readonly (Seen | undefined)[];
}

/**
 * Checks and writes. Every put of an operation writes {@link valueFor} of its id, so that a value identifies
 * its operation.
 */
export interface CommitOperation extends Timed {
  readonly kind: "commit";
  readonly checks: readonly StoredCheck[];
  readonly writes: readonly { readonly key: string; readonly put: boolean }[];
  readonly outcome: CommitEnd;
}

/** How a commit ended, as reported to its client. */
export type CommitEnd =
  | { readonly type: "applied"; readonly version: string }
  | { readonly type: "refused"; readonly current: readonly (Seen | undefined)[] }
  /** It rejected with an error that says that nothing was applied. */
  | { readonly type: "not-applied" }
  | { readonly type: "unknown" };

export type Operation = ReadOperation | CommitOperation;

/** The operations of all clients with their answers, in the order in which they began. */
export type History = readonly Operation[];

/** The value that the operation `id` puts. */
export function valueFor(id: number): string {
  return JSON.stringify(`#${id}`);
}

/** The id of the operation that put `value`; -1 if `value` does not come from {@link valueFor}. */
export function writerOf(value: string): number {
  const match = /^"#(\d+)"$/.exec(value);
  return match === null ? -1 : Number(match[1]);
}

/** The keys that an operation reads, checks or writes. */
export function keysOf(operation: Operation): readonly string[] {
  if (operation.kind === "read") return operation.keys;
  return [...operation.checks.map(({ key }) => key), ...operation.writes.map(({ key }) => key)];
}

/** Everything that an operation saw. */
export function seenBy(operation: Operation): readonly (Seen | undefined)[] {
  if (operation.kind === "read") return operation.seen;
  return operation.outcome.type === "refused" ? operation.outcome.current : [];
}
