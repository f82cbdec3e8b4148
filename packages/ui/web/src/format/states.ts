import type { Problem, ReasonView, Status, TickView } from "../api/types.js";
import { isOverdue } from "../app/me.js";
import type { IconName } from "../parts/icon.js";

/** A state as a colour, a shape and a word, so that none of them alone carries the meaning. */
export interface State {
  readonly tone: "completed" | "running" | "failed" | "timeout" | "lost" | "warn" | "quiet";
  readonly icon: IconName;
  readonly word: string;
}

const STATUSES: Readonly<Record<Status, State>> = {
  running: { tone: "running", icon: "running", word: "Running" },
  completed: { tone: "completed", icon: "completed", word: "Completed" },
  skipped: { tone: "quiet", icon: "skipped", word: "Nothing to do" },
  failed: { tone: "failed", icon: "failed", word: "Failed" },
  timeout: { tone: "timeout", icon: "timeout", word: "Timed out" },
  cancelled: { tone: "quiet", icon: "cancelled", word: "Cancelled" },
  lost: { tone: "lost", icon: "lost", word: "Lost" },
};

/** All statuses, in the order of the filters. */
export const ALL_STATUSES = Object.keys(STATUSES) as readonly Status[];

/** A state that a later version of ojm knows. */
const unknown = (word: string): State => ({ tone: "quiet", icon: "info", word });

/** The state of a run. A later version of ojm may write a status that these pages do not know. */
export const stateOf = (status: Status): State =>
  Object.hasOwn(STATUSES, status) ? STATUSES[status] : unknown(status);

const PROBLEMS: Readonly<Record<Problem["kind"], State>> = {
  failed: STATUSES.failed,
  lost: STATUSES.lost,
  timeout: STATUSES.timeout,
  orphaned: { tone: "lost", icon: "unattended", word: "Outlived its run" },
  "ignores-cancel": { tone: "failed", icon: "cancelled", word: "Ignores cancel" },
  overdue: { tone: "warn", icon: "overdue", word: "Overdue" },
  unattended: { tone: "failed", icon: "unattended", word: "No process runs it" },
  "orphaned-retry": { tone: "failed", icon: "unattended", word: "No process runs it" },
  long: { tone: "warn", icon: "long", word: "Running long" },
  paused: { tone: "warn", icon: "paused", word: "Paused" },
  held: { tone: "warn", icon: "held", word: "On hold" },
};

/** The state of a problem. */
export const problemOf = (kind: Problem["kind"]): State => PROBLEMS[kind];

const TICKS: Readonly<Record<NonNullable<TickView["outcome"]>, State>> = {
  // Not like a completed run: the record was deleted, so the run may have failed.
  run: { tone: "quiet", icon: "runs", word: "Run" },
  skipped: { tone: "warn", icon: "skipped", word: "Skipped" },
  missed: { tone: "failed", icon: "missed", word: "Missed" },
  refused: { tone: "failed", icon: "cancelled", word: "Rejected" },
  overdue: PROBLEMS.overdue,
  waiting: { tone: "warn", icon: "waiting", word: "Waiting" },
};

/** The state of a tick at a time. */
export function tickState({ outcome, status, skipped, unattended, due }: TickView, now: number): State {
  if (status !== undefined) return stateOf(status);
  if (outcome !== undefined) return Object.hasOwn(TICKS, outcome) ? TICKS[outcome] : unknown(outcome);
  if (skipped !== undefined)
    return {
      tone: "warn",
      icon: skipped === "blackout" ? "skipped" : skippedState(skipped).icon,
      word: skipped === "maintenance" ? "Will wait" : "Will be skipped",
    };
  if (isOverdue(due, now)) return PROBLEMS.overdue;
  if (unattended === true) return PROBLEMS.unattended;
  return { tone: "quiet", icon: "next", word: due < now ? "Due now" : "Upcoming" };
}

/** A maintenance keeps it from running. */
export const MAINTENANCE: State = { tone: "warn", icon: "held", word: "Maintenance" };
const BLACKOUT: State = { tone: "warn", icon: "skipped", word: "Blackout" };

/** Why the next tick of a job will be skipped. */
export const skippedState = (skipped: NonNullable<TickView["skipped"]>): State =>
  skipped === "blackout" ? BLACKOUT : skipped === "maintenance" ? MAINTENANCE : PROBLEMS[skipped];

const REASONS: Readonly<Record<string, State>> = {
  paused: PROBLEMS.paused,
  blackout: BLACKOUT,
  unattended: PROBLEMS.unattended,
  running: STATUSES.running,
  locked: { tone: "warn", icon: "locks", word: "Locked" },
  maintenance: PROBLEMS.held,
  "maintenance-window": MAINTENANCE,
  queue: { tone: "warn", icon: "waiting", word: "Queue" },
  "queue-dead": { tone: "failed", icon: "failed", word: "Dead letters" },
  "queue-paused": PROBLEMS.paused,
  "queue-maintenance": MAINTENANCE,
  "queue-hung": { tone: "warn", icon: "warn", word: "Signal ignored" },
  "queue-unattended": { ...PROBLEMS.unattended, word: "No worker" },
  "queue-busy": { tone: "quiet", icon: "waiting", word: "Waiting" },
  "queue-waiting": { tone: "quiet", icon: "waiting", word: "Waiting" },
  "queue-delayed": { tone: "quiet", icon: "next", word: "Delayed" },
  "queue-follows": { tone: "quiet", icon: "retry", word: "Newer data" },
  "queue-empty": { tone: "quiet", icon: "queues", word: "Empty" },
  permit: { tone: "warn", icon: "waiting", word: "No free permit" },
  rate: { tone: "warn", icon: "waiting", word: "Rate limit reached" },
  retry: { tone: "warn", icon: "retry", word: "Retry pending" },
  last: { tone: "quiet", icon: "runs", word: "Last run" },
  overdue: PROBLEMS.overdue,
  waiting: TICKS.waiting,
  backfill: { tone: "running", icon: "backfill", word: "Backfill" },
  ready: { tone: "completed", icon: "completed", word: "Ready" },
  never: { tone: "quiet", icon: "info", word: "Never ran" },
  tick: { tone: "quiet", icon: "timeline", word: "Tick" },
  "no-tick": { tone: "quiet", icon: "timeline", word: "No tick" },
  ahead: { tone: "quiet", icon: "next", word: "Upcoming" },
  "ended-by": { tone: "warn", icon: "cancelled", word: "Ended by hand" },
  late: { tone: "warn", icon: "overdue", word: "Began late" },
  attempt: { tone: "quiet", icon: "retry", word: "Attempt" },
  slow: { tone: "warn", icon: "long", word: "Slower than usual" },
  usual: { tone: "quiet", icon: "long", word: "Duration" },
  before: { tone: "quiet", icon: "runs", word: "Last success" },
  next: { tone: "quiet", icon: "next", word: "Next tick" },
  orphaned: PROBLEMS.orphaned,
  refused: { tone: "warn", icon: "cancelled", word: "Starts rejected" },
  unreadable: { tone: "warn", icon: "info", word: "Newer definition" },
  unscheduled: { tone: "quiet", icon: "info", word: "No schedule" },
};

/** The state of a reason. A newer server may have reasons that these pages do not know. */
export const reasonState = ({ code, status }: Pick<ReasonView, "code" | "status">): State =>
  status === undefined || status === "completed" ? (REASONS[code] ?? unknown(code)) : stateOf(status);
