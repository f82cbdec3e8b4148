import * as v from "valibot";
import { type HolderView, holderSchema, type Schema, type Status, statusSchema } from "./common.js";
import { type ReasonView, reasonSchema } from "./jobs.js";
import {
  type ProgressView,
  progressSchema,
  type RetryView,
  retrySchema,
  type StopRequest,
  stopRequestSchema,
} from "./now.js";

/** A run in a list. Times are in ms since 1970, durations in ms. */
export interface RunItem {
  readonly id: string;
  readonly name: string;
  readonly status: Status;
  readonly startTime: number;
  readonly endTime?: number;
  readonly duration?: number;
  readonly trigger: string;
  readonly attempt?: number;
  readonly tick?: number;
  readonly holder: HolderView;
  /** At most 300 characters of it. */
  readonly error?: string;
}

/** `GET api/v1/runs?name&q&status&from&to&before&limit`: newest first. */
export interface Runs {
  readonly runs: readonly RunItem[];
  readonly more: boolean;
  /** The id of the last one, for `before` of the next page. Absent without `more`. */
  readonly before?: string;
  /** Of an empty list: a name that is near, if none is or has in it what was asked for. */
  readonly meant?: string;
}

/** Who ended a run from outside, and why. */
export interface EndedByView {
  readonly action: string;
  readonly by: HolderView;
  /** The person, as they named themselves. */
  readonly author?: string;
  readonly reason: string;
}

/** The record of a run. */
export interface RunDetail extends Omit<RunItem, "error"> {
  /** For how long it may run. */
  readonly timeout: number;
  readonly fence?: string;
  readonly schedule?: string;
  /** How long after its tick it started. */
  readonly delay?: number;
  /** The id of the first run of its chain of attempts. */
  readonly chain?: string;
  /** How many attempts its chain may have. */
  readonly attempts?: number;
  /** Its parameters. Absent if results are hidden, as `meta` is. */
  readonly args?: { readonly [key: string]: unknown };
  readonly meta?: { readonly [key: string]: unknown };
  readonly versions?: { readonly ojm: string; readonly node: string };
  readonly error?: string;
  readonly stack?: string;
  readonly endedBy?: EndedByView;
  /** Absent if results are hidden: see `showResults` of `api/v1/me`. */
  readonly result?: unknown;
  /** Whether there is a result that is hidden. */
  readonly resultHidden?: boolean;
}

/** `GET api/v1/runs/ID`. */
export interface RunPage {
  readonly run: RunDetail;
  /** The runs of its chain of attempts, the first one first; itself among them. Empty if there is none. */
  readonly attempts: readonly RunItem[];
  /** The next attempt of its chain, if it waits for one. */
  readonly retry?: RetryView;
  /** The last request to stop it, unless its record says that a cancel ended it: see `endedBy`. */
  readonly asked?: StopRequest;
  /** The last run of the job before this one that completed. */
  readonly lastWell?: RunItem;
  /** Why the job does not run now; of the newest run only. */
  readonly why: readonly ReasonView[];
  readonly log: {
    /** How many lines were written so far; absent if none is kept. */
    readonly lines?: number;
    /** Whether no more will come. */
    readonly ended: boolean;
  };
  readonly progress?: ProgressView;
  /**
   * What keeps its job from another run on request: that it has no schedule, that no process runs it, a hold.
   */
  readonly job: { readonly scheduled: boolean; readonly unattended?: string; readonly held?: true };
}

/** Something in the log of a run: a line, or a place where lines are missing. */
export type LogItem =
  | {
      /** Its number, from 1. Lines that are missing count. */
      readonly line: number;
      /** Where it begins in the text of the whole log, in UTF-8 bytes. */
      readonly offset: number;
      readonly at: number;
      readonly level: "debug" | "info" | "warn" | "error" | "stdout" | "stderr";
      readonly text: string;
    }
  | {
      /** `"unknown"`: the last lines were never written. */
      readonly missing: { readonly lines: number; readonly bytes: number } | "unknown";
      /** The part of it that was never written; the rest was deleted. */
      readonly dropped?: { readonly lines: number; readonly bytes: number };
    };

/**
 * `GET api/v1/runs/ID/log?tail&after&limit`: the items after line `after`, `limit` at most; with `tail` the
 * last ones of the log.
 */
export interface LogPage {
  readonly items: readonly LogItem[];
  /** Whether more lines come after these. */
  readonly more: boolean;
}

const itemEntries = {
  id: v.string(),
  name: v.string(),
  status: statusSchema,
  startTime: v.number(),
  endTime: v.exactOptional(v.number()),
  duration: v.exactOptional(v.number()),
  trigger: v.string(),
  attempt: v.exactOptional(v.number()),
  tick: v.exactOptional(v.number()),
  holder: holderSchema,
  error: v.exactOptional(v.string()),
};

export const runItemSchema: Schema<RunItem> = v.strictObject(itemEntries);

export const runsSchema: Schema<Runs> = v.strictObject({
  runs: v.array(runItemSchema),
  more: v.boolean(),
  before: v.exactOptional(v.string()),
  meant: v.exactOptional(v.string()),
});

const detailSchema: Schema<RunDetail> = v.strictObject({
  ...itemEntries,
  timeout: v.number(),
  fence: v.exactOptional(v.string()),
  schedule: v.exactOptional(v.string()),
  delay: v.exactOptional(v.number()),
  chain: v.exactOptional(v.string()),
  attempts: v.exactOptional(v.number()),
  args: v.exactOptional(v.record(v.string(), v.unknown())),
  meta: v.exactOptional(v.record(v.string(), v.unknown())),
  versions: v.exactOptional(v.strictObject({ ojm: v.string(), node: v.string() })),
  stack: v.exactOptional(v.string()),
  endedBy: v.exactOptional(
    v.strictObject({
      action: v.string(),
      by: holderSchema,
      author: v.exactOptional(v.string()),
      reason: v.string(),
    }),
  ),
  result: v.exactOptional(v.unknown()),
  resultHidden: v.exactOptional(v.boolean()),
});

export const runPageSchema: Schema<RunPage> = v.strictObject({
  run: detailSchema,
  attempts: v.array(runItemSchema),
  retry: v.exactOptional(retrySchema),
  asked: v.exactOptional(stopRequestSchema),
  lastWell: v.exactOptional(runItemSchema),
  why: v.array(reasonSchema),
  log: v.strictObject({ lines: v.exactOptional(v.number()), ended: v.boolean() }),
  progress: v.exactOptional(progressSchema),
  job: v.strictObject({
    scheduled: v.boolean(),
    unattended: v.exactOptional(v.string()),
    held: v.exactOptional(v.literal(true)),
  }),
});

const amount = v.strictObject({ lines: v.number(), bytes: v.number() });

export const logItemSchema: Schema<LogItem> = v.union([
  v.strictObject({
    line: v.number(),
    offset: v.number(),
    at: v.number(),
    level: v.picklist(["debug", "info", "warn", "error", "stdout", "stderr"]),
    text: v.string(),
  }),
  v.strictObject({ missing: v.union([amount, v.literal("unknown")]), dropped: v.exactOptional(amount) }),
]);

export const logPageSchema: Schema<LogPage> = v.strictObject({ items: v.array(logItemSchema), more: v.boolean() });
