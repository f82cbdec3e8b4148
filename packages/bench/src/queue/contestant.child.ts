import type { Spec } from "../run/contestant.js";
import { serve } from "../run/serve.js";
import { openContestant } from "./contestants.js";
import { QueueLoads } from "./loads.js";

/* One contestant in a process of its own. Argument: a Spec as JSON. */
const spec = JSON.parse(process.argv[2] ?? "{}") as Spec;
const contestant = await openContestant(spec);
const loads = new QueueLoads(contestant);

serve(async (order) => {
  switch (order.do) {
    case "warm-up":
      await loads.measure(order.load, order.count, []);
      return undefined;
    case "measure":
      globalThis.gc?.();
      return loads.measure(order.load, order.count, spec.servers);
    case "allocation":
      throw new Error("what an item allocates is not measured");
    case "prove":
      await loads.prove();
      return undefined;
    case "close":
      await contestant.close();
      return undefined;
  }
});
