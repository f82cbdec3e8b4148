import type { Load, Spec } from "./contestant.js";
import { openContestant } from "./contestants.js";
import { measureAllocation, measureCost } from "./cost.js";
import { workOf } from "./loads.js";
import { serve } from "./serve.js";

/*
 * One contestant in a process of its own: neither the garbage nor the compiled code of another one affects
 * it. Executes one order after the other. Argument: a Spec as JSON.
 */
const spec = JSON.parse(process.argv[2] ?? "{}") as Spec;
const contestant = await openContestant(spec);
const doWork = workOf(contestant);
let runs = 0;
async function work(load: Load, count: number): Promise<number> {
  const done = await doWork(load, count);
  if (load.what === "run") runs += done;
  return done;
}

/** A ratio is meaningless unless both sides left the same facts. */
async function proveFacts(): Promise<void> {
  const records = await contestant.records();
  if (records !== runs) throw new Error(`${runs} runs left ${records} closed records on ${spec.store}`);
}

serve(async (order) => {
  switch (order.do) {
    case "warm-up":
      await work(order.load, order.count);
      return undefined;
    case "measure":
      globalThis.gc?.();
      // The collection made the new space small, and other contestants emptied the caches.
      await work(order.load, Math.ceil(order.count / 20));
      return measureCost(() => work(order.load, order.count), spec.servers);
    case "allocation":
      return measureAllocation(() => work(order.load, order.count));
    case "prove":
      await proveFacts();
      return undefined;
    case "close":
      await contestant.close();
      return undefined;
  }
});
