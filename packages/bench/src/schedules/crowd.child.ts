import { type JobManager, type JobManagerOptions, openJobManager } from "@ojm/core";
import { openScheduler, type Scheduler } from "@ojm/schedule";
import { addAll, Witness } from "./add.js";
import type { Counters, RanTick } from "./counting/counts.js";
import { countStatements } from "./counting/statements.js";
import { cycleDefinition } from "./definitions.js";

/*
 * One of many processes with the same schedules. It serves one store after the other, so that fifty processes
 * are started only once. Answers each order.
 */

/** An order to such a process. */
export type Order =
  | { readonly do: "open"; readonly options: JobManagerOptions; readonly schedules: number }
  /** The counters so far, processor time in µs, and the ticks that ran since the last time. */
  | { readonly do: "tell" }
  | { readonly do: "close" };

/** The answer to `tell`. */
export interface MemberReport {
  readonly counters: Counters;
  readonly ran: readonly RanTick[];
}

const AT_ONCE = 50;

const witness = new Witness();
let statements = (): Counters => ({});
let opened: { readonly manager: JobManager; readonly scheduler: Scheduler } | undefined;

async function obey(order: Order): Promise<MemberReport | undefined> {
  if (order.do === "tell") {
    const { user, system } = process.cpuUsage();
    const { ran } = witness;
    witness.ran = [];
    return { counters: { ...statements(), clients: user + system }, ran };
  }
  if (order.do === "open") {
    statements = order.options.chLocks?.type === "sqlite" ? countStatements() : () => ({});
    const manager = await openJobManager(order.options);
    opened = { manager, scheduler: openScheduler(manager) };
    await addAll(opened.scheduler, witness, order.schedules, cycleDefinition, AT_ONCE);
    return undefined;
  }
  await opened?.scheduler.close();
  await opened?.manager.close();
  opened = undefined;
  return undefined;
}

process.on("message", async (order: Order) => {
  try {
    process.send?.({ value: await obey(order) });
  } catch (error) {
    process.send?.({ error: String(error) });
  }
});
process.once("disconnect", () => process.exit());
process.send?.({ value: undefined });
