import * as v from "valibot";
import { type Schema, type Status, statusSchema } from "./common.js";
import { type TickView, tickSchema } from "./now.js";

/** How many runs of each status. One that no run has is absent. */
export type Counts = Readonly<Partial<Record<Status, number>>>;

/**
 * Runs of a name that are drawn as one bar: from, to, the worst status of them, and how many. Then the id, if
 * it is one run of which all is known; or how many of each status, if they differ. A run that is running ends
 * now. Where a name has many runs, a bar is a minute or an hour in which they began: the first one may count
 * runs that began a moment before `from`.
 */
export type Bar = readonly [start: number, end: number, status: Status, count: number, more?: string | Counts];

/** The runs and ticks of a name. */
export interface Lane {
  readonly name: string;
  /** Oldest first. */
  readonly bars: readonly Bar[];
  /** Those that were not run, and those to come. */
  readonly ticks: readonly TickView[];
}

/**
 * `GET api/v1/timeline?from&to&px&limit&after&q`. Runs closer than a pixel, `(to − from) / px`, are merged.
 */
export interface Timeline {
  readonly from: number;
  readonly to: number;
  /** By name. */
  readonly lanes: readonly Lane[];
  /** Whether there are lanes after these: ask again with `after`, the name of the last one. */
  readonly more: boolean;
  /**
   * The runs that began in this part are not counted yet, or not all of them: a store with many records is
   * counted once. Ask again. Absent if no run is left out.
   */
  readonly missing?: Missing;
}

/** A range of time, in ms since 1970. */
export interface Missing {
  readonly from: number;
  readonly to: number;
}

export const barSchema: Schema<Bar> = v.union([
  v.strictTuple([v.number(), v.number(), statusSchema, v.number()]),
  v.strictTuple([v.number(), v.number(), statusSchema, v.number(), v.string()]),
  v.strictTuple([v.number(), v.number(), statusSchema, v.number(), v.record(statusSchema, v.number())]),
]);

export const timelineSchema: Schema<Timeline> = v.strictObject({
  from: v.number(),
  to: v.number(),
  lanes: v.array(v.strictObject({ name: v.string(), bars: v.array(barSchema), ticks: v.array(tickSchema) })),
  more: v.boolean(),
  missing: v.exactOptional(v.strictObject({ from: v.number(), to: v.number() })),
});
