import * as v from "valibot";

/** A schema of request data, which the server checks. */
export type Schema<T> = v.GenericSchema<T>;

/**
 * The body of `POST api/v1/jobs/NAME/ACT`, where ACT is `run-now`, `hold`, `end-hold`, `pause`, `resume`,
 * `backfill`, `stop-backfill`, `unlock` or `cancel`, of `POST api/v1/runs/ID/cancel`, of `POST
 * api/v1/queues/NAME/ACT`, where ACT is `pause`, `resume`, `retry` or `discard`, and of the last two of an
 * item.
 */
export interface ActRequest {
  /** The reason, for everyone affected. At most 1,000 characters. */
  readonly reason: string;
  /** With `hold` and `pause`: when it ends by itself, in ms since 1970. */
  readonly until?: number;
  /** With `run-now`: the parameters of the run, `run.args` in its job function. */
  readonly args?: Readonly<Record<string, unknown>>;
  /** With `backfill`: the ticks from `from` to `to`, in ms since 1970. */
  readonly from?: number;
  readonly to?: number;
  /**
   * With `backfill`: run even ticks that were run. With `run-now`: without `args`, the run has the parameters
   * of the last run of the job.
   */
  readonly again?: boolean;
  /** With `retry` and `discard` of a queue: only the dead letters with this `key` of `errors`. */
  readonly error?: string;
  /** Only reports what would be done, and to whom. */
  readonly dryRun?: boolean;
}

/**
 * The body of `POST api/v1/many/ACT`, where ACT is `run-now`, `pause`, `resume`, `hold`, `end-hold` or
 * `cancel`. A list of more names than fit takes several requests.
 */
export interface ManyRequest extends Pick<ActRequest, "reason" | "until" | "again" | "dryRun"> {
  /**
   * Names of jobs, patterns with `*` for any characters, and with `cancel` and `run-now`, also ids of runs.
   * The id of a run with `run-now`: its job runs again, with the parameters of that run.
   */
  readonly names: readonly string[];
}

/** The body of `POST api/v1/maintenance/on` and `off`. */
export interface MaintenanceRequest extends Pick<ActRequest, "reason" | "until" | "dryRun"> {
  /** The pattern of its names. Default: all with `on`, each maintenance with `off`. */
  readonly names?: string;
  /** With `on`: also asks the runs in progress to stop. */
  readonly cancel?: boolean;
}

const time = v.exactOptional(v.pipe(v.number(), v.safeInteger(), v.minValue(0)));

/** A field that only one of the type and the schema has does not compile. */
const fields = {
  reason: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(1_000)),
  until: time,
  args: v.exactOptional(v.record(v.string(), v.unknown())),
  from: time,
  to: time,
  again: v.exactOptional(v.boolean()),
  error: v.exactOptional(v.pipe(v.string(), v.maxLength(100))),
  dryRun: v.exactOptional(v.boolean()),
} satisfies Readonly<Record<keyof ActRequest, v.GenericSchema>>;

export const actRequestSchema: Schema<ActRequest> = v.strictObject(fields);

const { reason, until, again, dryRun } = fields;
const pattern = v.pipe(v.string(), v.minLength(1), v.maxLength(1_000));

export const manyRequestSchema: Schema<ManyRequest> = v.strictObject({
  ...{ reason, until, again, dryRun },
  names: v.pipe(v.array(pattern), v.minLength(1), v.maxLength(1_000)),
} satisfies Readonly<Record<keyof ManyRequest, v.GenericSchema>>);

export const maintenanceRequestSchema: Schema<MaintenanceRequest> = v.strictObject({
  ...{ reason, until, dryRun },
  names: v.exactOptional(pattern),
  cancel: v.exactOptional(v.boolean()),
} satisfies Readonly<Record<keyof MaintenanceRequest, v.GenericSchema>>);

/**
 * `POST api/v1/session`, which answers with a cookie: the token of the link, or, if the server has users, the
 * name and the password of one.
 */
export interface SessionRequest {
  readonly token?: string;
  readonly user?: string;
  readonly password?: string;
}

const credential = v.exactOptional(v.pipe(v.string(), v.maxLength(200)));

export const sessionRequestSchema: Schema<SessionRequest> = v.strictObject({
  token: credential,
  user: credential,
  password: credential,
} satisfies Readonly<Record<keyof SessionRequest, v.GenericSchema>>);
