import * as v from "valibot";
import type { Schema } from "./common.js";

/**
 * The body of `POST api/v1/jobs/NAME/ACT`, where ACT is `run-now`, `hold`, `end-hold`, `pause`, `resume`,
 * `backfill`, `stop-backfill`, `unlock` or `cancel`, and of `POST api/v1/runs/ID/cancel`.
 */
export interface ActRequest {
  /** Why, for those whom it affects. At most 1,000 characters. */
  readonly reason: string;
  /** With `hold` and `pause`: when it ends by itself, in ms since 1970. */
  readonly until?: number;
  /** With `run-now`: the parameters of the run, `run.args` in its job function. */
  readonly args?: Readonly<Record<string, unknown>>;
  /** With `backfill`: the ticks from `from` to `to`, in ms since 1970. */
  readonly from?: number;
  readonly to?: number;
  /** With `backfill`: also those that were run. */
  readonly again?: boolean;
  /** Only says what would be done, and to whom. */
  readonly dryRun?: boolean;
}

/** What was done, and to whom. */
export interface ActAnswer {
  readonly done: string;
  /** The id of the run that was started, or ended. */
  readonly run?: string;
  /** With `cancel`: the run was asked to stop, and is still running. */
  readonly pending?: boolean;
  readonly dryRun?: boolean;
}

export const actRequestSchema: Schema<ActRequest> = v.strictObject({
  reason: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(1_000)),
  until: v.exactOptional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  args: v.exactOptional(v.record(v.string(), v.unknown())),
  from: v.exactOptional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  to: v.exactOptional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  again: v.exactOptional(v.boolean()),
  dryRun: v.exactOptional(v.boolean()),
});

export const actAnswerSchema: Schema<ActAnswer> = v.strictObject({
  done: v.string(),
  run: v.exactOptional(v.string()),
  pending: v.exactOptional(v.boolean()),
  dryRun: v.exactOptional(v.boolean()),
});
