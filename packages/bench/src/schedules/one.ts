import { once } from "node:events";
import { startChild } from "../scale/children.js";
import type { Store } from "../stores.js";
import type { Cost, Ticks } from "./one.child.js";
import type { ProcessRow } from "./result.js";

/** How long each part is measured, in ms. */
export interface Spans {
  readonly idle: number;
  readonly ticks: number;
}

/** Measures one process with this many schedules: first without ticks, then in a new store with ticks. */
export async function measureProcess(store: Store, schedules: number, spans: Spans): Promise<ProcessRow> {
  const cost = (await inChild(store, "cost", schedules, spans.idle)) as Cost;
  const ticks = (await inChild(store, "ticks", schedules, spans.ticks)) as Ticks;
  return { store: store.name, schedules, ...cost, ...ticks };
}

async function inChild(store: Store, what: "cost" | "ticks", schedules: number, span: number): Promise<Cost | Ticks> {
  const { options, close } = await store.open();
  const args = [JSON.stringify(options), what, String(schedules), String(span)];
  const child = startChild("../schedules/one.child.ts", args);
  try {
    const [report] = (await Promise.race([once(child, "message"), ended(once(child, "exit"))])) as [Cost | Ticks];
    if (child.exitCode === null) await once(child, "exit");
    return report;
  } finally {
    child.kill("SIGKILL");
    await close();
  }
}

async function ended(exit: Promise<unknown>): Promise<never> {
  await exit;
  throw new Error("the process with the schedules ended before it reported its results");
}
