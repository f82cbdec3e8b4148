import type { RawStore } from "../run/contestant.js";
import { ended, type Floor, SESSION, session, started, startTimes, Waiters } from "./floor.js";

/** Maps of JSON texts. A stored value is a copy, as in every other store. */
export function memoryFloor(): Floor {
  const sessions = new Map([[SESSION, JSON.stringify(session)]]);
  const locks = new Map<string, { text: string; fence: string }>();
  const records = new Map<string, string>();
  const byTime = new Map<string, string>();
  const waiters = new Waiters();
  const next = startTimes();
  let version = 0;
  return {
    async run(job) {
      if (!sessions.has(SESSION)) throw new Error("the session is over");
      if (locks.has(job) || waiters.has(job)) throw new Error(`${job} is locked`);
      const { record, lock } = started(job, next(job));
      const fence = String(++version);
      const key = `${job} ${record.startTime}`;
      locks.set(job, { text: JSON.stringify(lock), fence });
      records.set(key, JSON.stringify(record));
      byTime.set(`${record.startTime} ${job}`, key);
      // The body of the run, and one turn for each of the two steps, which every asynchronous store needs.
      await Promise.resolve();
      if (locks.get(job)?.fence !== fence || !sessions.has(SESSION)) throw new Error(`${job} was lost`);
      records.set(key, JSON.stringify(ended(record, fence, Date.now())));
      locks.delete(job);
      waiters.wakeFirst(job);
      await Promise.resolve();
    },
    records: async () => Math.min(records.size, byTime.size),
    async close() {},
    verbs: rawStore(),
  };
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
