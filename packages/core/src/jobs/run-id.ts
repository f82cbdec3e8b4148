import { isText, isTime } from "../util/shape.js";
import { startDateOf, withMicros } from "../util/start-time.js";

/** The name and start time of a run, which together identify it. */
export interface RunRef {
  readonly name: string;
  readonly startTime: number;
}

/** An ISO date of UTC, to the ms or the µs, including years beyond 9999. */
const DATE = /^(.+)@((?:\d{4}|[+-]\d{6})-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})((?!000)\d{3})?Z$/s;

/**
 * The id of a run: `name@ISO start time`. Two runs never have the same one. An attempt of a queue has a start
 * time to the µs: many of them may begin in one ms.
 *
 * @example
 * runId({ name: "daily-report", startTime: Date.UTC(2026, 10, 25, 2) });
 * // daily-report@2026-11-25T02:00:00.000Z
 */
export function runId({ name, startTime }: RunRef): string {
  return `${name}@${startDateOf(startTime)}`;
}

/** The run that an id names; `undefined` if the text is not the id of a run. A name may contain an `@`. */
export function parseRunId(id: string): RunRef | undefined {
  const [, name, date, micros = "0"] = (isText(id) && DATE.exec(id)) || [];
  const startTime = withMicros(Date.parse(`${date}Z`), Number(micros));
  return name !== undefined && isTime(startTime) ? { name, startTime } : undefined;
}
