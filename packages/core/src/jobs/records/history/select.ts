import { sameJson } from "../../../channel/encoding/json.js";
import { ChannelError } from "../../../channel/errors.js";
import { isText, isTime } from "../../../util/shape.js";
import type { RunContext } from "../../run/context.js";
import { parseRunId, type RunRef } from "../../run-id.js";
import type { FailuresOptions, HistoryOptions, RunRecord, RunStatus } from "../../types.js";
import { isStatus, RUN_STATUSES } from "../read.js";
import { historyByName, historyOf } from "./by-name.js";
import { historyByTime } from "./by-time.js";
import { historyInError } from "./in-error.js";
import type { HistoryRange } from "./range.js";

/** The statuses that have an index: few runs end like this, and those are the ones that people look for. */
const IN_ERROR: ReadonlySet<RunStatus> = new Set<RunStatus>(["failed", "timeout", "cancelled", "lost"]);

type Records = AsyncGenerator<RunRecord, void, undefined>;

/** The records that a caller asks for, found by the cheapest way that the store has. */
export async function* selectRecords(
  { jobs, index, clock }: Pick<RunContext, "jobs" | "index" | "clock">,
  options: HistoryOptions,
): Records {
  const { name, meta } = options;
  const { limit, ...range } = checkRange(options);
  const statuses = statusesOf(options);
  // What is filtered afterwards reads on until it has enough.
  const isFiltered = statuses !== undefined || meta !== undefined;
  const asked: HistoryRange = { ...range, limit: isFiltered ? Number.POSITIVE_INFINITY : limit };
  const all = async (): Promise<Records> => {
    if (typeof name === "string") return historyOf(jobs, name, asked);
    if (name !== undefined) return historyByName(jobs, asked, new Set(name));
    if (!(await index.isComplete())) return historyByName(jobs, asked);
    if (statuses !== undefined && isSubset(statuses, IN_ERROR)) return historyInError(jobs, index, statuses, asked);
    return historyByTime(jobs, index, clock.now(), asked);
  };
  if (limit === 0) return;
  let left = limit;
  for await (const record of await all()) {
    if (statuses !== undefined && !statuses.has(record.status)) continue;
    if (meta !== undefined && !hasMeta(record, meta)) continue;
    yield record;
    if (--left === 0) return;
  }
}

/** A set has no `isSubsetOf` before Node 22. */
function isSubset<T>(some: ReadonlySet<T>, all: ReadonlySet<T>): boolean {
  return [...some].every((one) => all.has(one));
}

function hasMeta({ meta = {} }: RunRecord, wanted: NonNullable<HistoryOptions["meta"]>): boolean {
  return Object.entries(wanted).every(([key, value]) => Object.hasOwn(meta, key) && sameJson(meta[key], value));
}

function refuse(what: string): never {
  throw new ChannelError("INVALID_ARGUMENT", what);
}

/**
 * Checks which range of records is asked for, and fills in the defaults.
 *
 * @throws ChannelError `INVALID_ARGUMENT`
 */
export function checkRange({ from, to, limit, signal, ...more }: HistoryOptions | FailuresOptions): HistoryRange {
  const most = limit ?? Number.POSITIVE_INFINITY;
  if (!(most >= 0) || (most !== Number.POSITIVE_INFINITY && !Number.isInteger(most)))
    refuse(`limit is a whole number from 0 up, not ${most}`);
  for (const [field, time] of Object.entries({ from, to })) {
    if (time !== undefined && !isTime(time)) refuse(`${field} is a time in ms since 1970, not ${show(time)}`);
  }
  const before = "before" in more && more.before !== undefined ? refOf(more.before) : undefined;
  return {
    limit: most,
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(before && { before }),
    ...(signal && { signal }),
  };
}

function refOf(run: string | RunRef): RunRef {
  const ref = typeof run === "string" ? parseRunId(run) : run;
  if (!isText(ref?.name) || !isTime(ref.startTime)) {
    return refuse(
      `before is the id of a run, such as "report@2026-11-25T02:00:00.000Z", or its record, not ${show(run)}`,
    );
  }
  return ref;
}

function statusesOf({ status }: HistoryOptions): ReadonlySet<RunStatus> | undefined {
  if (status === undefined) return undefined;
  const statuses = typeof status === "string" ? [status] : status;
  for (const one of statuses) {
    if (!isStatus(one)) refuse(`status is one of ${RUN_STATUSES.join(", ")}, not ${show(one)}`);
  }
  return new Set(statuses);
}

function show(value: unknown): string {
  return typeof value === "string" ? `the text "${value}"` : String(value);
}
