import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { type JobManager, openJobManager } from "@ojm/core";
import type { Store } from "../stores.js";
import { cpuOf, startChild } from "./children.js";

const NAME = "job";

/** How long after they entered the waiters count as idle: their heartbeat threads start first. In ms. */
const SETTLE = 10_000;

/** How long the processor time of the idle waiters is measured, in ms. */
const IDLE = 10_000;

interface WaiterReport {
  readonly bodies: readonly (readonly [begin: number, end: number])[];
  readonly failed: number;
}

/** The cost of the waiters of one name. */
export interface WaitersRow {
  readonly store: string;
  readonly waiters: number;
  readonly processes: number;
  /** The processor time of all of them while the lock is held, as a part of a core. */
  readonly idle: number;
  /** From the end of a body to the start of the next, in ms. */
  readonly handOff: { readonly median: number; readonly p99: number; readonly most: number };
  readonly failed: number;
  /** Whether the first holder lost its lock meanwhile. */
  readonly lost: boolean;
}

/** Lets this many calls wait for one name, spread over processes, and then run one after the other. */
export async function measureWaiters(store: Store, waiters: number, processes: number): Promise<WaitersRow> {
  const { options, close } = await store.open();
  try {
    await using manager = await openJobManager(options);
    const holder = await manager.start(NAME);
    const args = [JSON.stringify(options), NAME, String(waiters / processes)];
    const children = Array.from({ length: processes }, () => startChild("./waiters.child.ts", args));
    const idle = await waitAndMeasure(manager, children, waiters);
    const reporting = children.map(async (child) => ((await once(child, "message")) as [WaiterReport])[0]);
    const lost = holder.signal.aborted;
    await holder.end();
    const reports = await Promise.all(reporting);
    const failed = reports.reduce((sum, each) => sum + each.failed, 0);
    return { store: store.name, waiters, processes, idle, handOff: handOffOf(reports), failed, lost };
  } finally {
    await close();
  }
}

/** Waits until all are in the queue. Resolves to the part of a core that they use from then on. */
async function waitAndMeasure(
  manager: JobManager,
  children: readonly ChildProcess[],
  waiters: number,
): Promise<number> {
  for (;;) {
    const [lock] = await manager.heldLocks();
    if (lock?.waiting === waiters) break;
    await sleep(100);
  }
  await sleep(SETTLE);
  const before = await cpuOf(children);
  await sleep(IDLE);
  return ((await cpuOf(children)) - before) / IDLE;
}

function handOffOf(reports: readonly WaiterReport[]): WaitersRow["handOff"] {
  const bodies = reports.flatMap((each) => each.bodies).sort(([a], [b]) => a - b);
  const gaps = bodies.slice(1).map(([begin], i) => begin - (bodies[i]?.[1] ?? begin));
  gaps.sort((a, b) => a - b);
  const at = (part: number): number => gaps[Math.floor(part * (gaps.length - 1))] ?? Number.NaN;
  return { median: at(0.5), p99: at(0.99), most: at(1) };
}
