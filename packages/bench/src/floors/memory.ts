import { ended, type Floor, started, startTimes } from "./floor.js";

/** Two maps of JSON texts: what is stored is a copy, as it is everywhere else. */
export function memoryFloor(): Floor {
  const locks = new Map<string, { text: string; fence: string }>();
  const records = new Map<string, string>();
  const next = startTimes();
  let version = 0;
  return {
    name: "simple",
    async run(job) {
      if (locks.has(job)) throw new Error(`${job} is locked`);
      const { record, lock } = started(job, next(job));
      const fence = String(++version);
      locks.set(job, { text: JSON.stringify(lock), fence });
      records.set(`${job} ${record.startTime}`, JSON.stringify(record));
      // The body of the run, and one turn for each of the two steps, as any store that can be awaited needs.
      await Promise.resolve();
      if (locks.get(job)?.fence !== fence) throw new Error(`${job} was lost`);
      records.set(`${job} ${record.startTime}`, JSON.stringify(ended(record, fence, Date.now())));
      locks.delete(job);
      await Promise.resolve();
    },
    records: async () => records.size,
    async close() {},
  };
}
