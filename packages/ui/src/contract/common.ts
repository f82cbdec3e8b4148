import * as v from "valibot";

/** A schema of the contract. The types are written out: they are what the front end is compiled against. */
export type Schema<T> = v.GenericSchema<T>;

/** The statuses that a run can have. */
export type Status = "running" | "completed" | "skipped" | "failed" | "timeout" | "cancelled" | "lost";

export const statusSchema: Schema<Status> = v.picklist([
  "running",
  "completed",
  "skipped",
  "failed",
  "timeout",
  "cancelled",
  "lost",
]);

/** A process that holds a lock, or runs a job. */
export interface HolderView {
  readonly host: string;
  readonly pid: number;
  readonly instance: string;
}

export const holderSchema: Schema<HolderView> = v.strictObject({
  host: v.string(),
  pid: v.number(),
  instance: v.string(),
});

/** A process that waits for a lock, and since when by its own clock. */
export interface WaiterView extends HolderView {
  readonly since?: number;
}

export const waiterSchema: Schema<WaiterView> = v.strictObject({
  host: v.string(),
  pid: v.number(),
  instance: v.string(),
  since: v.exactOptional(v.number()),
});

/** What can be done about something. Each is a POST of the API, and needs a role. */
export type ActName =
  | "run-now"
  | "hold"
  | "pause"
  | "resume"
  | "backfill"
  | "stop-backfill"
  | "end-hold"
  | "unlock"
  | "cancel";

export const actNameSchema: Schema<ActName> = v.picklist([
  "run-now",
  "hold",
  "pause",
  "resume",
  "backfill",
  "stop-backfill",
  "end-hold",
  "unlock",
  "cancel",
]);

/** Why a request was not answered as it was asked. */
export type ErrorCode =
  | "INVALID"
  | "UNAUTHORIZED"
  | "FORBIDDEN"
  | "DENIED"
  | "NOT_FOUND"
  | "METHOD"
  | "CONFLICT"
  | "LIMIT"
  | "AWAY"
  | "FAULT";

/** The body of every answer that is no success. */
export interface ErrorBody {
  readonly error: { readonly code: ErrorCode; readonly message: string };
}

export const errorSchema: Schema<ErrorBody> = v.strictObject({
  error: v.strictObject({
    code: v.picklist([
      "INVALID",
      "UNAUTHORIZED",
      "FORBIDDEN",
      "DENIED",
      "NOT_FOUND",
      "METHOD",
      "CONFLICT",
      "LIMIT",
      "AWAY",
      "FAULT",
    ]),
    message: v.string(),
  }),
});
