import { openJobManager } from "@ojm/core";
import { openQueues } from "@ojm/queue";
import { loadRivals } from "../rivals.js";
import type { Spec } from "../run/contestant.js";
import { stores } from "../stores.js";
import type { Data, QueueContestant } from "./contestant.js";

/** The other libraries, by store: the functions of `rivals/work.ts` that open them. */
const RIVALS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  redis: { bullmq: "bullmqOnRedis" },
  postgres: { "pg-boss": "pgBoss", "graphile-worker": "graphileWorker", bullmq: "bullmqOnPostgres" },
};

/** The contestants on a store, ours first. */
export function contestantsOn(store: string): string[] {
  return ["ojm", ...Object.keys(RIVALS[store] ?? {})];
}

/** Opens our queue, or that of another library. Each is loaded only in its own process. */
export async function openContestant({ name, store, address }: Spec): Promise<QueueContestant> {
  if (name === "ojm") return openOurs(store, address);
  const open = (await loadRivals("work.ts"))[RIVALS[store]?.[name] ?? ""];
  if (open === undefined) throw new Error(`there is no contestant "${name}" on ${store}`);
  return (open as (address: string) => Promise<QueueContestant>)(address);
}

const QUEUE = "mail";

/** The most items that are counted at the end. */
const MOST = 10_000_000;

async function openOurs(store: string, address: string): Promise<QueueContestant> {
  const manager = await openJobManager(stores.find(({ name }) => name === store)?.options(address) ?? {});
  const queues = openQueues(manager);
  await queues.define(QUEUE);
  return {
    add: (items) => Promise.all(items.map((item) => queues.add(QUEUE, item))),
    async work({ width, batch = 1 }, handled) {
      const concurrency = width * batch;
      const worker = await queues.work<Data>(QUEUE, ({ data }) => handled(data), { concurrency });
      return () => worker.close();
    },
    async left() {
      const { waiting, delayed, active, dead } = await queues.counts(QUEUE, { most: MOST });
      return waiting + delayed + active + dead;
    },
    async close() {
      await queues.close();
      await manager.close();
    },
  };
}
