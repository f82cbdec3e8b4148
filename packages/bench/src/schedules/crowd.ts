import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { countServerTime } from "../run/cost.js";
import { startChild } from "../scale/children.js";
import type { OpenStore, Store } from "../stores.js";
import { type Counters, grown, onceOf, perSecond, perTick, type RanTick } from "./counting/counts.js";
import { countsOf, type ServerCounts } from "./counting/servers.js";
import type { MemberReport, Order } from "./crowd.child.js";
import { CYCLE, nextCycle, TICKING_SECONDS, ticksOfCycle } from "./definitions.js";
import type { CrowdRow } from "./result.js";

/**
 * The wait after the last tick of a cycle, in ms: its run ends, and the second of the processes checks it.
 */
const AFTERWARDS = 1_500;

/** The part of a cycle with ticks and the wait after them, in ms. */
const TICKING = TICKING_SECONDS * 1_000 + AFTERWARDS;

/** How long the quiet part is measured, in ms: the interval between two heartbeats of a scheduler. */
const QUIET = 5_000;

/** The least time without orders before a cycle, in ms, in which the processes learn of each other. */
const SETTLE = 3_000;

/** Processes that serve one store after the other. */
export class Crowd {
  readonly #children: ChildProcess[] = [];

  /** Starts processes up to this total number. */
  async grow(count: number): Promise<void> {
    const more = Array.from({ length: count - this.#children.length }, () =>
      startChild("../schedules/crowd.child.ts", []),
    );
    this.#children.push(...more);
    await Promise.all(more.map((child) => once(child, "message")));
  }

  /** Sends an order to the processes in a range of numbers. */
  async order(order: Order, from: number, to: number): Promise<MemberReport[]> {
    const all = this.#children.slice(from, to).map(async (child) => {
      child.send(order);
      const [{ value, error }] = (await once(child, "message")) as [{ value?: MemberReport; error?: string }];
      if (error !== undefined) throw new Error(`a process of the crowd could not ${order.do}: ${error}`);
      return value;
    });
    return (await Promise.all(all)).filter((report) => report !== undefined);
  }

  async close(): Promise<void> {
    const ended = this.#children.map((child) => once(child, "exit"));
    for (const child of this.#children) child.kill("SIGKILL");
    await Promise.all(ended);
  }
}

/** Adds the same schedules on one store in more and more processes. */
export async function measureCrowd(
  store: Store,
  crowd: Crowd,
  sizes: readonly number[],
  schedules: number,
  onRow: (row: CrowdRow) => void,
): Promise<void> {
  const open = await store.open();
  const counts = countsOf(store.name, open);
  let there = 0;
  try {
    for (const size of sizes) {
      await crowd.grow(size);
      await crowd.order({ do: "open", options: open.options, schedules }, there, size);
      there = size;
      onRow(await measureCycle({ store, open, counts, crowd, size, schedules }));
    }
    await crowd.order({ do: "close" }, 0, there);
  } finally {
    counts.close();
    await open.close();
  }
}

interface Measured {
  readonly store: Store;
  readonly open: OpenStore;
  readonly counts: ServerCounts;
  readonly crowd: Crowd;
  readonly size: number;
  readonly schedules: number;
}

async function measureCycle({ store, open, counts, crowd, size, schedules }: Measured): Promise<CrowdRow> {
  const serverTime = countServerTime(open.servers);
  const ran: RanTick[] = [];
  const look = async (): Promise<Look> => {
    const at = Date.now();
    const [server, reports] = await Promise.all([counts.read(), crowd.order({ do: "tell" }, 0, size)]);
    for (const { ran: some } of reports) ran.push(...some);
    const children = reports.map(({ counters }) => counters);
    return { at, counters: { ...sumOf(children), ...server, server: serverTime() } };
  };
  const begin = nextCycle(Date.now(), SETTLE);
  const [first, second] = [await at(begin - 100, look), await at(begin + TICKING, look)];
  const third = await at(begin + TICKING + QUIET, look);
  const [ticking, quiet] = [stretch(first, second), stretch(second, third)];
  const ours = ran.filter(([, tick]) => tick >= begin && tick < begin + CYCLE);
  const ticks = onceOf(ours, ticksOfCycle(schedules, begin));
  return {
    store: store.name,
    processes: size,
    schedules,
    ticks,
    perTick: perTick(ticking, quiet, ticks.ran),
    quiet: perSecond(quiet),
  };
}

interface Look {
  readonly at: number;
  readonly counters: Counters;
}

function stretch(from: Look, to: Look): { readonly ms: number; readonly grown: Counters } {
  return { ms: to.at - from.at, grown: grown(from.counters, to.counters) };
}

async function at<T>(instant: number, work: () => Promise<T>): Promise<T> {
  await sleep(Math.max(0, instant - Date.now()));
  return work();
}

function sumOf(all: readonly Counters[]): Counters {
  const sum: Record<string, number> = {};
  for (const counters of all)
    for (const [name, value] of Object.entries(counters)) sum[name] = (sum[name] ?? 0) + value;
  return sum;
}
