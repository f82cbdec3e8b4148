import type { JobManager } from "@ojm/core";
import { optionalOperand } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { rangeOptions } from "../../command-line/units.js";
import { Lines } from "../../output/lines.js";
import { printError } from "../../output/print.js";
import { refuseUnknown } from "../../store/known-names.js";
import { kindOf, withStore } from "../../store/open.js";
import { FORMAT, FORMAT_VERSION, type Head, inWords, type Kind, type Tail } from "./format.js";

/** The kind of each line, by its only field. */
const KIND_OF: Readonly<Record<string, Kind>> = {
  run: "runs",
  log: "logs",
  progress: "logs",
  audit: "audits",
  schedule: "schedules",
  tick: "ticks",
};

/** How many characters are gathered before a write. */
const AT_ONCE = 65_536;

/** Which part of a store is exported. */
interface Wanted {
  readonly name?: string;
  readonly from?: number;
  readonly to?: number;
  readonly logs: boolean;
}

/** Prints the content of a store as lines of JSON. */
export async function execute(given: Given): Promise<number> {
  const name = optionalOperand(given);
  const wanted: Wanted = {
    logs: !given.flags.has("no-logs"),
    ...(name !== undefined && { name }),
    ...rangeOptions(given),
  };
  return withStore(given, async (manager) => {
    if (name !== undefined) await refuseUnknown(manager, name, true);
    const lines = new Lines(AT_ONCE);
    const { end } = await exportTo(lines, await kindOf(given), manager, wanted);
    if (lines.closed.aborted) return;
    const leftOut = Object.entries(end.leftOut).map(([reason, count]) => `. Left out ${count}: ${reason}`);
    printError(`ojm: exported ${inWords((kind) => end[kind])}${leftOut.join("")}`);
  });
}

/** The most items of a queue that are counted in each state: all of them. */
const MOST_ITEMS = 1_000_000_000;

/** How many items the queues have, or the one with this name. */
async function itemsOf(manager: JobManager, only: string | undefined): Promise<number> {
  const { openQueues } = await import("@ojm/queue");
  await using queues = openQueues(manager);
  let items = 0;
  for await (const { name } of queues.list()) {
    if (only !== undefined && name !== only) continue;
    const { waiting, delayed, active, dead } = await queues.counts(name, { most: MOST_ITEMS });
    items += waiting + delayed + active + dead;
  }
  return items;
}

/** Writes all lines, until the reader closes its end. */
async function exportTo(lines: Lines, store: string, manager: JobManager, wanted: Wanted): Promise<Tail> {
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
  await lines.write(JSON.stringify(head));
  const { logs, ...range } = wanted;
  const counts: Record<Kind, number> = { runs: 0, logs: 0, audits: 0, schedules: 0, ticks: 0 };
  const leftOut: Record<string, number> = {};
  const leaveOut = (reason: string, count = 1): void => {
    if (count > 0) leftOut[reason] = (leftOut[reason] ?? 0) + count;
  };
  leaveOut("a pending attempt", (await manager.retries(wanted.name)).length);
  leaveOut("an item of a queue: work through the queue in this store", await itemsOf(manager, wanted.name));
  for await (const part of manager.exported({ ...range, logs })) {
    if (lines.closed.aborted) break;
    if ("leftOut" in part) leaveOut(part.leftOut.reason);
    else await write(part);
  }
  for await (const part of exportedSchedules(manager, range)) {
    if (lines.closed.aborted) break;
    if ("leftOut" in part) leaveOut(part.leftOut.reason);
    else await write(part);
  }
  const tail: Tail = { end: { ...counts, leftOut } };
  await lines.write(JSON.stringify(tail));
  await lines.flush();
  return tail;

  async function write(part: object): Promise<void> {
    const kind = KIND_OF[Object.keys(part)[0] ?? ""];
    if (kind !== undefined) counts[kind]++;
    await lines.write(JSON.stringify(part));
  }
}
