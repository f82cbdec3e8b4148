import { ended, type FloorStore, type RawStore, started, startTimes } from "./floor.js";

/** Two maps of JSON texts. A stored value is a copy, as in every other store. */
export function memoryFloor(): FloorStore {
  const locks = new Map<string, { text: string; fence: string }>();
  const records = new Map<string, string>();
  const next = startTimes();
  let version = 0;
  const floor = {
    async run(job: string) {
      if (locks.has(job)) throw new Error(`${job} is locked`);
      const { record, lock } = started(job, next(job));
      const fence = String(++version);
      locks.set(job, { text: JSON.stringify(lock), fence });
      records.set(`${job} ${record.startTime}`, JSON.stringify(record));
      // The body of the run, and one turn for each of the two steps, as every store that is awaited needs.
      await Promise.resolve();
      if (locks.get(job)?.fence !== fence) throw new Error(`${job} was lost`);
      records.set(`${job} ${record.startTime}`, JSON.stringify(ended(record, fence, Date.now())));
      locks.delete(job);
      await Promise.resolve();
    },
    records: async () => records.size,
    async close() {},
  };
  return { floor, raw: rawStore() };
}

function rawStore(): RawStore {
  const entries = new Map<string, { text: string; version: string }>();
  let last = 0;
  return {
    async get(key) {
      const entry = entries.get(key);
      return entry === undefined ? undefined : JSON.parse(entry.text);
    },
    async set(key, value) {
      entries.set(key, { text: JSON.stringify(value), version: String(++last) });
    },
    async compareAndSet(key, version, value) {
      if ((entries.get(key)?.version ?? null) !== version) return undefined;
      const next = String(++last);
      entries.set(key, { text: JSON.stringify(value), version: next });
      return next;
    },
  };
}
