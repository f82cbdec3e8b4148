import type { Backend, CommitOutcome, KeyRange, StoredEntry, StoredWrite, WatchSink } from "@ojm/core/backend";

/*
 * Keys and ranges as core passes them to a backend, for cases that call the backend directly. Parts are not
 * escaped, so use letters, digits and dashes.
 */

/** The key that core makes of the array `parts` in the channel `channel`. */
export function rawKey(channel: string, ...parts: readonly string[]): string {
  return `${channel} [${parts.map((part) => `"${part} `).join("")}`;
}

/** The range of all keys of a channel. */
export function rawRange(channel: string): KeyRange {
  return { from: `${channel} `, to: `${channel}!` };
}

/** A number as text, padded so that the order of texts is the order of numbers. */
export function padded(n: number): string {
  return String(n).padStart(6, "0");
}

/** Reads one key. */
export async function readOne(backend: Backend, key: string): Promise<StoredEntry | undefined> {
  const [entry] = await backend.read([key]);
  return entry;
}

/** Writes without a condition. Resolves to the version. */
export async function write(backend: Backend, ...writes: readonly StoredWrite[]): Promise<string> {
  const outcome = await backend.commit({ checks: [], writes });
  if (!outcome.ok) throw new Error("a commit without checks was refused");
  return outcome.version;
}

/** Writes `key` if it is at `version`. */
export function writeIf(
  backend: Backend,
  key: string,
  version: string | null,
  value: string | null,
): Promise<CommitOutcome> {
  return backend.commit({ checks: [{ key, version }], writes: [{ key, value }] });
}

/** Reads all entries of a range, page by page. */
export async function readRange(backend: Backend, range: KeyRange, limit = 500): Promise<StoredEntry[]> {
  const found: StoredEntry[] = [];
  let { from } = range;
  for (;;) {
    const page = await backend.scan({ from, to: range.to, reverse: false, limit, values: true });
    found.push(...page.entries);
    const last = page.entries.at(-1);
    if (last === undefined || !page.more) return found;
    from = `${last.key}\x01`;
  }
}

/** A sink that records what it receives. */
export interface Heard extends WatchSink {
  readonly changes: { readonly key: string; readonly value: string | null; readonly version: string }[];
  gaps: number;
  readonly failures: Error[];
}

/** A new {@link Heard}. */
export function listener(): Heard {
  const heard: Heard = {
    changes: [],
    gaps: 0,
    failures: [],
    change: (change) => void heard.changes.push(change),
    gap: () => {
      heard.gaps++;
    },
    fail: (error) => void heard.failures.push(error),
  };
  return heard;
}
