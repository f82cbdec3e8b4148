import { Level } from "level";
import type { RawStore } from "../run/contestant.js";
import { ended, type Floor, SESSION, session, started, startTimes, Waiters } from "./floor.js";

type Write = { type: "put"; key: string; value: string } | { type: "del"; key: string };

/**
 * Collects the writes of one turn of the event loop in one batch with one sync. No write is answered before
 * it is on the disk.
 */
class Batches {
  readonly #db: Level;
  #writes: Write[] = [];
  #next: Promise<void> | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(db: Level) {
    this.#db = db;
  }

  add(...writes: Write[]): Promise<void> {
    this.#writes.push(...writes);
    this.#next ??= this.#last.then(() => {
      const batch = this.#writes;
      this.#writes = [];
      this.#next = undefined;
      this.#last = this.#db.batch(batch, { sync: true });
      return this.#last;
    });
    return this.#next;
  }
}

/**
 * Only one process has the folder open, so the holders, sessions and waiters are kept in memory, and written
 * with the records.
 */
export async function levelFloor(path: string): Promise<Floor> {
  const db = new Level(path);
  await db.open();
  const batches = new Batches(db);
  const sessions = new Set([SESSION]);
  await batches.add({ type: "put", key: `session ${SESSION}`, value: JSON.stringify(session) });
  const locks = new Map<string, string>();
  const waiters = new Waiters();
  const next = startTimes();
  let version = 0;
  return {
    async run(job) {
      if (!sessions.has(SESSION)) throw new Error("the session is over");
      if (locks.has(job) || waiters.has(job)) throw new Error(`${job} is locked`);
      const { record, lock } = started(job, next(job));
      const fence = String(++version);
      locks.set(job, fence);
      const key = `record ${job} ${record.startTime}`;
      await batches.add(
        { type: "put", key: `lock ${job}`, value: JSON.stringify({ ...lock, fence }) },
        { type: "put", key, value: JSON.stringify(record) },
        { type: "put", key: `time ${record.startTime} ${job}`, value: "" },
      );
      if (locks.get(job) !== fence || !sessions.has(SESSION)) throw new Error(`${job} was lost`);
      const text = JSON.stringify(ended(record, fence, Date.now()));
      await batches.add({ type: "put", key, value: text }, { type: "del", key: `lock ${job}` });
      locks.delete(job);
      waiters.wakeFirst(job);
    },
    async records() {
      const count = async (kind: string): Promise<number> =>
        (await db.keys({ gte: `${kind} `, lt: `${kind}!` }).all()).length;
      return Math.min(await count("record"), await count("time"));
    },
    close: () => db.close(),
    verbs: rawStore(db, batches),
  };
}

function rawStore(db: Level, batches: Batches): RawStore {
  const versions = new Map<string, string>();
  let last = 0;
  return {
    async get(key) {
      const text = db.getSync(`raw ${key}`);
      return text === undefined ? undefined : JSON.parse(text);
    },
    async set(key, value) {
      await batches.add({ type: "put", key: `raw ${key}`, value: JSON.stringify(value) });
    },
    async compareAndSet(key, version, value) {
      if ((versions.get(key) ?? null) !== version) return undefined;
      const next = String(++last);
      versions.set(key, next);
      await batches.add({ type: "put", key: `cas ${key}`, value: JSON.stringify({ version: next, value }) });
      return next;
    },
  };
}
