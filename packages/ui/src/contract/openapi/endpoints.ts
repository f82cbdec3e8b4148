import { actAnswerSchema, actRequestSchema } from "../acts.js";
import { auditSchema } from "../audit.js";
import type { ActName, Schema } from "../common.js";
import { jobDetailSchema, jobsSchema, whySchema, zonesSchema } from "../jobs.js";
import { locksSchema } from "../locks.js";
import { nowSchema } from "../now.js";
import { logPageSchema, runPageSchema, runsSchema } from "../runs.js";
import { meSchema, type Role, sessionRequestSchema } from "../session.js";
import { timelineSchema } from "../timeline.js";

/** A kind of parameter in a query, and what it means. */
export interface Parameter {
  readonly type: "text" | "time" | "count" | "statuses" | "texts" | "counts";
  readonly text: string;
}

/** An endpoint of the API. Server, OpenAPI document and tests of security come from the table of them. */
export interface Endpoint {
  readonly id: string;
  readonly method: "GET" | "POST" | "DELETE";
  /** Relative to the base path. `:name` and `:id` are percent-encoded. */
  readonly path: string;
  readonly summary: string;
  /** The role that it needs; `none`: no session either. */
  readonly role: Role | "none";
  readonly query?: Readonly<Record<string, Parameter>>;
  readonly body?: Schema<unknown>;
  /** The answer in JSON, or the media type of another one. */
  readonly answer: Schema<unknown> | "text/event-stream" | "text/plain";
}

const LIMIT: Parameter = { type: "count", text: "the most items" };
const NAME_AFTER: Parameter = { type: "text", text: "only names after this one" };
const Q: Parameter = { type: "text", text: "only names that have this text in them" };

const look = (id: string, path: string, summary: string, answer: Endpoint["answer"], query = {}): Endpoint => ({
  id,
  method: "GET",
  path,
  summary,
  role: "read",
  query,
  answer,
});

const act = (name: ActName, role: Role, summary: string): Endpoint => ({
  id: name,
  method: "POST",
  path: `/api/v1/jobs/:name/${name}`,
  summary,
  role,
  body: actRequestSchema,
  answer: actAnswerSchema,
});

/** All endpoints. */
export const endpoints: readonly Endpoint[] = [
  look("me", "/api/v1/me", "Who asks, and what they look at", meSchema),
  look("now", "/api/v1/now", "Problems, what runs, and what is next", nowSchema),
  look("timeline", "/api/v1/timeline", "Runs and ticks of all jobs", timelineSchema, {
    from: { type: "time", text: "the begin. Default: 24 hours before `to`" },
    to: { type: "time", text: "the end, which may lie ahead. Default: now" },
    px: { type: "count", text: "how wide it is drawn: runs closer than a pixel are merged. Default: 1000" },
    limit: LIMIT,
    after: NAME_AFTER,
    q: Q,
  }),
  look("jobs", "/api/v1/jobs", "The jobs, by name", jobsSchema, { limit: LIMIT, after: NAME_AFTER, q: Q }),
  look("job", "/api/v1/jobs/:name", "A job and its ticks", jobDetailSchema, {
    from: { type: "time", text: "only ticks at this time or later" },
    to: { type: "time", text: "only ticks before this time" },
  }),
  look("why", "/api/v1/jobs/:name/why", "Why a job does not run now", whySchema),
  look("runs", "/api/v1/runs", "The runs, newest first", runsSchema, {
    name: { type: "text", text: "only the runs of this job" },
    q: Q,
    status: { type: "statuses", text: "only these statuses, with commas between them" },
    from: { type: "time", text: "only runs that began at this time or later" },
    to: { type: "time", text: "only runs that began before this time" },
    before: { type: "text", text: "only runs after this one in the list: its id" },
    limit: LIMIT,
  }),
  look("run", "/api/v1/runs/:id", "A run", runPageSchema),
  look("log", "/api/v1/runs/:id/log", "Lines of the log of a run", logPageSchema, {
    after: { type: "count", text: "only lines after this one" },
    tail: { type: "count", text: "only so many of the last lines" },
    limit: LIMIT,
  }),
  look("log.txt", "/api/v1/runs/:id/log.txt", "The log of a run, to download", "text/plain"),
  look("zones", "/api/v1/zones", "The time zones of the schedules, by name", zonesSchema, {
    limit: LIMIT,
    after: NAME_AFTER,
  }),
  look("locks", "/api/v1/locks", "Locks, processes and schedulers", locksSchema),
  look("audit", "/api/v1/audit", "What people did, newest first", auditSchema, {
    name: { type: "text", text: "only what was done to this job" },
    q: Q,
    before: { type: "time", text: "only what was done before this time" },
    limit: LIMIT,
  }),
  look("events", "/api/v1/events", "What changes, as server-sent events", "text/event-stream", {
    log: { type: "texts", text: "the id of a run whose log is followed; may be repeated" },
    after: { type: "counts", text: "for each `log`: only lines after this one" },
  }),
  {
    id: "login",
    method: "POST",
    path: "/api/v1/session",
    summary: "Exchange the launch token for a cookie",
    role: "none",
    body: sessionRequestSchema,
    answer: meSchema,
  },
  {
    id: "logout",
    method: "DELETE",
    path: "/api/v1/session",
    summary: "End the session",
    role: "read",
    answer: actAnswerSchema,
  },
  act("run-now", "operate", "Run a schedule now"),
  act("cancel", "operate", "Ask the run of a job to stop"),
  act("pause", "operate", "Pause a schedule"),
  act("resume", "operate", "End the pause of a schedule"),
  act("hold", "operate", "Keep all runs of a job away"),
  act("end-hold", "operate", "End a hold, and take no lock from a process"),
  act("backfill", "operate", "Run the ticks of a time that is over"),
  act("stop-backfill", "operate", "Stop the backfills of a schedule"),
  act("unlock", "admin", "Take a lock from its holder"),
  {
    id: "cancel-run",
    method: "POST",
    path: "/api/v1/runs/:id/cancel",
    summary: "Ask a run to stop",
    role: "operate",
    body: actRequestSchema,
    answer: actAnswerSchema,
  },
];
