import type { LogBudget, Supports } from "../../channel/backend/backend.js";
import { unknownOption } from "../../channel/backend/config.js";
import { ChannelError } from "../../channel/errors.js";
import { ABOVE_ZERO, checkedDuration, type Duration, type InMs } from "../../util/duration.js";
import { fieldsOf, isSpan } from "../../util/shape.js";

const FIELDS = ["head", "tail", "chunk", "interval", "ttl", "completed"];

const KIB = 1_024;
const MIB = 1_024 * KIB;
const DAY = 86_400_000;

/** The memory of a process that never prunes must not fill up with logs. */
const MEMORY: LogBudget = {
  head: 128 * KIB,
  tail: 384 * KIB,
  chunk: 64 * KIB,
  interval: 250,
  ttl: DAY / 4,
  completed: true,
};

const DISK: LogBudget = { ...MEMORY, head: MIB, tail: 3 * MIB, ttl: 14 * DAY };

/** A server keeps the logs of many machines, often in its memory. */
const NETWORK: LogBudget = { ...MEMORY, head: 256 * KIB, tail: 768 * KIB, ttl: 7 * DAY };

/** How many times larger a chunk may become as JSON: a control character takes six bytes. */
const JSON_GROWTH = 6;

/** How much of the log of a run is kept: what differs from the {@link LogBudget} of the store. */
export type LogBudgetOptions = Partial<
  Omit<LogBudget, "interval" | "ttl"> & { readonly [K in "interval" | "ttl"]: Duration }
>;

/**
 * Checks a budget, and resolves its durations to ms.
 *
 * @throws ChannelError `INVALID_CONFIG`
 */
export function checkLogBudget(budget: unknown): InMs<LogBudgetOptions> {
  const fields = fieldsOf<LogBudget>(budget);
  if (fields === undefined) throw invalid(`logBudget must be a map, not ${String(budget)}`);
  const problem = unknownOption('"logBudget" of a job manager', fields, FIELDS);
  if (problem !== undefined) throw invalid(problem);
  const { completed, interval, ttl, ...numbers } = fields;
  if (completed !== undefined && typeof completed !== "boolean")
    throw invalid("logBudget.completed must be true or false");
  for (const [name, value] of Object.entries(numbers)) {
    if (value === undefined || (isSpan(value) && value > 0)) continue;
    throw invalid(`logBudget.${name} must be a number above 0, not ${String(value)}`);
  }
  const durations = Object.entries({ interval, ttl }).filter(([, value]) => value !== undefined);
  const inMs = durations.map(([name, value]) => [
    name,
    checkedDuration(`logBudget.${name}`, value, refuse, ABOVE_ZERO),
  ]);
  return { ...(budget as LogBudgetOptions), ...Object.fromEntries(inMs) };
}

const invalid = (what: string): ChannelError => new ChannelError("INVALID_CONFIG", what);

const refuse = (what: string): never => {
  throw invalid(what);
};

/** How much of the log of a run a store keeps: what `own` says, else its backend, else its kind. */
export function budgetOf(supports: Supports, own: InMs<LogBudgetOptions> = {}): LogBudget {
  const { ttl, ...budget } = { ...kindOf(supports), ...supports.logs, ...own };
  const chunk = Math.min(budget.chunk, Math.floor(supports.maxValueBytes / JSON_GROWTH));
  return { ...budget, chunk, ...(supports.ttl && ttl !== undefined && { ttl }) };
}

function kindOf({ shared, durability }: Supports): LogBudget {
  if (shared === "network") return NETWORK;
  return durability === "none" ? MEMORY : DISK;
}
