import type { Backend, StoredEntry } from "./backend/backend.js";
import { abortable, throwIfAborted } from "./calls.js";
import { justAfter } from "./encoding/key.js";
import type { Scope } from "./encoding/scope.js";
import { ChannelError } from "./errors.js";
import type { EntriesOptions } from "./types.js";

const PAGE = 500;

/** Which entries of a scan the caller wants, and in which form. */
export interface Scanned<T> {
  readonly values: boolean;
  /** The result for an entry; `undefined` leaves it out, and it does not count towards `limit`. */
  readonly as: (stored: StoredEntry) => T | undefined;
}

/**
 * The stored entries of a scan, page by page. The store holds nothing between two pages, so a scan that is
 * abandoned, or takes a day, costs it nothing. Each page begins after the last key seen, so no entry comes
 * twice.
 */
export async function* scan<T>(
  backend: Backend,
  scope: Scope,
  options: EntriesOptions,
  { values, as }: Scanned<T>,
  throwIfClosed: () => void,
): AsyncGenerator<T, void, undefined> {
  const { reverse = false, limit = Number.POSITIVE_INFINITY, signal } = options;
  if (!(limit >= 0) || (limit !== Number.POSITIVE_INFINITY && !Number.isInteger(limit))) {
    throw new ChannelError("INVALID_ARGUMENT", `limit is a whole number from 0 up, not ${limit}`);
  }
  const range = scope.scanRange(options);
  if (range === undefined) return;
  let { from, to } = range;
  let left = limit;
  // Once an entry was skipped, request full pages: requesting only the missing few could take many.
  let leavesOut = false;
  while (left > 0) {
    throwIfClosed();
    throwIfAborted(signal);
    const request = { from, to, reverse, values, limit: leavesOut ? PAGE : Math.min(left, PAGE) };
    const page = await abortable(backend.scan(request, signal === undefined ? {} : { signal }), signal, "not-applied");
    for (const entry of page.entries) {
      throwIfClosed();
      const wanted = as(entry);
      if (wanted === undefined) {
        leavesOut = true;
        continue;
      }
      yield wanted;
      if (--left === 0) return;
    }
    const last = page.entries.at(-1);
    if (last === undefined || !page.more) return;
    if (reverse) to = last.key;
    else from = justAfter(last.key);
  }
}
