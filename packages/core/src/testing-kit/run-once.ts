import type { JsonValue } from "../channel/encoding/json.js";
import type { LogLine } from "../jobs/logs/types.js";
import type { Run, RunRecord, Tick } from "../jobs/types.js";
import { openTestManager } from "./test-manager.js";

/** Options of {@link runOnce}. */
export interface RunOnceOptions {
  /** The name of the job. Default: `job`. */
  readonly name?: string;
  /** When it runs. Default: 2030-01-01T00:00:00Z. */
  readonly at?: string | number | Date;
  /** The tick that it runs for, in its record. */
  readonly tick?: Tick;
  readonly args?: { readonly [key: string]: JsonValue };
  readonly meta?: { readonly [key: string]: JsonValue };
  /** Cancels the run. */
  readonly signal?: AbortSignal;
}

/** The result of a body. */
export interface RanOnce<T> {
  readonly record: RunRecord;
  /** What the body returned, if it completed. */
  readonly result: T | undefined;
  /** What the body threw, or why it was cancelled. */
  readonly error: unknown;
  /** The lines of its log. */
  readonly log: readonly LogLine[];
}

/**
 * Runs the body of a job once, under its own lock in memory, and resolves to its record, result and log. An
 * error of the body does not reject: the record has the status `failed`.
 *
 * @example
 * const { record, log } = await runOnce(importOrders, { meta: { customer: "acme" } });
 * expect(record.status).toBe("completed");
 * expect(log.map(({ text }) => text)).toContain("3 orders");
 */
export async function runOnce<T>(
  body: (run: Run) => T | Promise<T>,
  { name = "job", at, tick, args, meta, signal }: RunOnceOptions = {},
): Promise<RanOnce<T>> {
  await using test = await openTestManager(at === undefined ? {} : { start: at });
  const { manager, clock } = test;
  let started: Run | undefined;
  const noted = (run: Run): T | Promise<T> => {
    started = run;
    return body(run);
  };
  const claim = tick && { tick, ops: () => [], refused: async () => {} };
  const more = { ...(signal && { signal }), ...(claim && { claim }) };
  const options = { ...(args && { args }), ...(meta && { meta }), ...more };
  let error: unknown;
  let result: T | undefined;
  try {
    ({ result } = await manager.run(name, noted, options));
  } catch (reason) {
    error = reason;
  }
  if (started === undefined) throw error;
  const { startTime } = started;
  let record: RunRecord | undefined;
  for await (const one of manager.history({ name, limit: 1 })) record = one;
  if (record === undefined) throw new Error(`the record of "${name}" is gone`);
  const log: LogLine[] = [];
  const read = async (): Promise<void> => {
    for await (const item of manager.log({ name, startTime })) if ("text" in item && "level" in item) log.push(item);
  };
  await clock.until(read());
  return { record, result, error, log };
}
