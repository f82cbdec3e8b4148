import { END_OF_TIME, type RecordRef } from "../time-index.js";

/** Which records a history shows: those that began from `from` (inclusive) to `to` (exclusive). */
export interface HistoryRange {
  readonly from?: number;
  readonly to?: number;
  /** Only records behind this one, in the order of the history. */
  readonly before?: RecordRef;
  readonly limit: number;
  readonly signal?: AbortSignal;
}

/** Where a history begins: before a time, or before a record. */
export function beginOf({ to = END_OF_TIME, before }: HistoryRange): RecordRef | number {
  return before === undefined || to <= before.startTime ? to : before;
}

/** The start time of where a history begins. */
export function timeOf(begin: RecordRef | number): number {
  return typeof begin === "number" ? begin : begin.startTime;
}
