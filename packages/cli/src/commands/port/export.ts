import type { JobManager } from "@ojm/core";
import { expectNoMore } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { rangeOptions } from "../../command-line/units.js";
import { printError } from "../../output/print.js";
import { refuseUnknown } from "../../store/known-names.js";
import { kindOf, withStore } from "../../store/open.js";
import { FORMAT, FORMAT_VERSION, type Head, inWords, type Kind, type Tail } from "./format.js";
import { Output } from "./output.js";

/** The kind of each line, by its only field. */
const KIND_OF: Readonly<Record<string, Kind>> = {
  run: "runs",
  log: "logs",
  progress: "logs",
  audit: "audits",
  schedule: "schedules",
  tick: "ticks",
};

/** Which part of a store is exported. */
interface Wanted {
  readonly name?: string;
  readonly from?: number;
  readonly to?: number;
  readonly logs: boolean;
}

/** Prints the content of a store as lines of JSON. */
export async function execute(given: Given): Promise<number> {
  expectNoMore(given, 1);
  const [name] = given.operands;
  const wanted: Wanted = {
    logs: !given.flags.has("no-logs"),
    ...(name !== undefined && { name }),
    ...rangeOptions(given),
  };
  return withStore(given, async (manager) => {
    if (name !== undefined) await refuseUnknown(manager, name, true);
    const output = new Output();
    try {
      const tail = await exportTo(output, await kindOf(given), manager, wanted);
      if (output.closed.aborted) return undefined;
      const leftOut = Object.entries(tail.end.leftOut).map(([reason, count]) => `. Left out ${count}: ${reason}`);
      printError(`ojm: exported ${inWords((kind) => tail.end[kind])}${leftOut.join("")}`);
    } finally {
      output.close();
    }
    return undefined;
  });
}

/** Writes all lines, until the reader closes its end. */
async function exportTo(output: Output, store: string, manager: JobManager, wanted: Wanted): Promise<Tail> {
  const [{ VERSIONS }, { exportedSchedules }] = await Promise.all([
    import("@ojm/core/internal"),
    import("@ojm/schedule"),
  ]);
  const head: Head = {
    format: FORMAT,
    version: FORMAT_VERSION,
    ojm: VERSIONS.ojm,
    store,
    at: new Date().toISOString(),
  };
  await output.write(head);
  const { logs, ...range } = wanted;
  const counts: Record<Kind, number> = { runs: 0, logs: 0, audits: 0, schedules: 0, ticks: 0 };
  const leftOut: Record<string, number> = {};
  const leaveOut = (reason: string, count = 1): void => {
    if (count > 0) leftOut[reason] = (leftOut[reason] ?? 0) + count;
  };
  leaveOut("a pending attempt", (await manager.retries(wanted.name)).length);
  for await (const part of manager.exported({ ...range, logs })) {
    if (output.closed.aborted) break;
    if ("leftOut" in part) leaveOut(part.leftOut.reason);
    else await write(part);
  }
  for await (const part of exportedSchedules(manager, range)) {
    if (output.closed.aborted) break;
    await write(part);
  }
  const tail: Tail = { end: { ...counts, leftOut } };
  await output.write(tail);
  await output.flush();
  return tail;

  async function write(part: object): Promise<void> {
    const kind = KIND_OF[Object.keys(part)[0] ?? ""];
    if (kind !== undefined) counts[kind]++;
    await output.write(part);
  }
}
