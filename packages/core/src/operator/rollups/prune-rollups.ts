import type { Channel } from "../../channel/channel.js";
import type { CallOptions, Key } from "../../channel/types.js";
import { inBatches } from "../../util/iterate.js";
import { cellsPlace, cellsRange, SPANS, type Span } from "./entries.js";

/** The most deletes of one commit. */
const AT_ONCE = 200;

/** The records that remain after a prune. */
interface Remaining {
  /** It deleted no record of a run that ended at this time or later. */
  readonly cutoff: number;
  /** The oldest remaining start time of a name; `undefined` if it has no record from before the cutoff. */
  oldest(name: string): number | undefined | Promise<number | undefined>;
  /** The only name that was pruned; `undefined` if all were. */
  readonly name: string | undefined;
}

/**
 * Deletes the hours and days of a name that were over before its oldest remaining record, and before the
 * cutoff. Call it after the records were deleted: if it dies half-way, the next prune finds the rest.
 */
export async function pruneRollups(times: Channel<unknown>, remaining: Remaining, options: CallOptions): Promise<void> {
  for (const span of Object.keys(SPANS) as Span[]) await pruneSpan(times, span, remaining, options);
}

/**
 * The same for the hours alone, with their minutes, or for the days alone, with their hours.
 */
export async function pruneSpan(
  times: Channel<unknown>,
  span: Span,
  remaining: Remaining,
  options: CallOptions,
): Promise<void> {
  const size = Math.min(AT_ONCE, times.supports.maxOps);
  for await (const deletes of inBatches(deletesOf(times, span, remaining, options), size))
    await times.commit(deletes, options);
}

async function* deletesOf(
  times: Channel<unknown>,
  span: Span,
  { cutoff, name: only, ...remaining }: Remaining,
  options: CallOptions,
): AsyncGenerator<{ readonly delete: Key }, void, undefined> {
  for await (const { key } of times.keys({ ...cellsRange(span, undefined, cutoff), ...options })) {
    const { name, at = cutoff } = cellsPlace(key) ?? {};
    if (name === undefined || (only !== undefined && name !== only)) continue;
    if (at + SPANS[span] <= Math.min(cutoff, (await remaining.oldest(name)) ?? cutoff)) yield { delete: key };
  }
}
