import type { Channel } from "../../../channel/channel.js";
import type { CallOptions } from "../../../channel/types.js";
import { isSignal } from "../../../util/abort/abort.js";
import type { Clock } from "../../../util/clock.js";
import { fieldsOf, isCount, isOptional, isText, isTime } from "../../../util/shape.js";
import { RunError } from "../../errors.js";
import { parseRunId, type RunRef } from "../../run-id.js";
import type { RunRecord } from "../../types.js";
import { isProgress, progressKey } from "../chunk.js";
import type { Logs } from "../logs.js";
import type { LogItem, LogOptions, Progress } from "../types.js";
import { followLog } from "./follow-log.js";
import { readLog } from "./read-log.js";

/** The parts of a manager that reading a log needs. */
interface Reading {
  readonly jobs: Channel<RunRecord>;
  readonly logs: Logs;
  readonly clock: Clock;
}

/**
 * The log of a run, by its record or id.
 *
 * @throws RunError `INVALID`
 */
export async function* logOf(
  { jobs, logs, clock }: Reading,
  run: string | RunRef,
  options: LogOptions,
): AsyncGenerator<LogItem, void, undefined> {
  const ref = runRefOf(run);
  checkOptions(ref.name, options);
  const { channel } = await logs.open();
  const source = { logs: channel, jobs, clock };
  yield* options.follow === true ? followLog(source, ref, options) : readLog(source, ref, options);
}

/** The progress that a run told last. */
export async function progressOf(
  logs: Logs,
  run: string | RunRef,
  options: CallOptions,
): Promise<Progress | undefined> {
  const ref = runRefOf(run);
  const { channel } = await logs.open();
  const value: unknown = await channel.get(progressKey(ref), options);
  return isProgress(value) ? value : undefined;
}

function checkOptions(name: string, options: LogOptions): void {
  const { after, tail, signal } = options;
  for (const [option, count] of Object.entries({ after, tail }))
    if (!isOptional(count, isCount))
      throw new RunError("INVALID", name, `${option} is a whole number from 0 up, not ${count}`);
  if (after !== undefined && tail !== undefined) throw new RunError("INVALID", name, "give either after or tail");
  if (!isOptional(signal, isSignal)) throw new RunError("INVALID", name, "signal must be an AbortSignal");
}

export function runRefOf(run: unknown): RunRef {
  const { name, startTime } = (isText(run) ? parseRunId(run) : fieldsOf<RunRef>(run)) ?? {};
  if (isText(name) && name !== "" && isTime(startTime)) return { name, startTime };
  const example = "daily-report@2026-11-25T02:00:00.000Z";
  const shown = isText(run) ? `"${run}"` : String(run);
  throw new RunError("INVALID", "", `a run is named by its record or by its id, such as ${example}, not by ${shown}`);
}
