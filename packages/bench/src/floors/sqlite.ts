import { createRequire } from "node:module";
import type DatabaseClass from "better-sqlite3";
import type { RawStore } from "../run/contestant.js";
import { ended, type Floor, SESSION, session, started, startTimes, Waiters } from "./floor.js";

/** The driver that `@ojm/sqlite` loads on this Node, so that both sides are measured on the same one. */
const requireOfSqlite = createRequire(createRequire(import.meta.url).resolve("@ojm/sqlite/package.json"));
const name = Number.parseInt(process.versions.node, 10) < 22 ? "@ojm/sqlite-node20" : "better-sqlite3";
const Database = requireOfSqlite(name) as typeof DatabaseClass;

const TABLES = `
  CREATE TABLE counter (fence INTEGER NOT NULL);
  INSERT INTO counter VALUES (0);
  CREATE TABLE sessions (id TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE locks (name TEXT PRIMARY KEY, fence INTEGER NOT NULL, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE queues (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE records (name TEXT, start INTEGER, value TEXT NOT NULL, PRIMARY KEY (name, start)) WITHOUT ROWID;
  CREATE INDEX records_by_time ON records (start, name);
`;

/** Two transactions in one file: lock and record, then record and lock. */
export function sqliteFloor(file: string): Floor {
  const db = new Database(file);
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = NORMAL");
  db.exec(TABLES);
  db.prepare("INSERT INTO sessions VALUES (?, ?)").run(SESSION, JSON.stringify(session));
  const size = db.prepare<[], { n: number }>("SELECT count(*) AS n FROM records WHERE value LIKE '%completed%'");
  const waiters = new Waiters();
  const next = startTimes();
  const { start, end } = transactions(db);
  return {
    async run(job) {
      const facts = started(job, next(job));
      const time = facts.record.startTime;
      const fence = start.immediate(job, time, JSON.stringify(facts.lock), JSON.stringify(facts.record));
      await Promise.resolve();
      end.immediate(job, time, fence, JSON.stringify(ended(facts.record, String(fence), Date.now())));
      waiters.wakeFirst(job);
      await Promise.resolve();
    },
    records: async () => size.get()?.n ?? 0,
    async close() {
      db.close();
    },
    verbs: rawStore(db),
  };
}

function transactions(db: DatabaseClass.Database) {
  // Two plain statements: UPDATE … RETURNING goes through a temporary table and takes nearly twice as long as
  // all the rest.
  const readFence = db.prepare<[], number>("SELECT fence FROM counter").pluck();
  const writeFence = db.prepare<[number]>("UPDATE counter SET fence = ?");
  const lives = db.prepare<[string], number>("SELECT 1 FROM sessions WHERE id = ?").pluck();
  const queued = db.prepare<[string], number>("SELECT 1 FROM queues WHERE name = ?").pluck();
  const lock = db.prepare<[string, number, string]>("INSERT INTO locks VALUES (?, ?, ?)");
  const open = db.prepare<[string, number, string]>("INSERT INTO records VALUES (?, ?, ?)");
  const unlock = db.prepare<[string, number]>("DELETE FROM locks WHERE name = ? AND fence = ?");
  const close = db.prepare<[string, string, number]>("UPDATE records SET value = ? WHERE name = ? AND start = ?");
  const start = db.transaction((job: string, time: number, lockText: string, recordText: string): number => {
    if (lives.get(SESSION) === undefined) throw new Error("the session is over");
    if (queued.get(job) !== undefined) throw new Error(`others wait for ${job}`);
    const fence = (readFence.get() ?? 0) + 1;
    writeFence.run(fence);
    lock.run(job, fence, lockText);
    open.run(job, time, recordText);
    return fence;
  });
  const end = db.transaction((job: string, time: number, fence: number, recordText: string): void => {
    if (lives.get(SESSION) === undefined) throw new Error("the session is over");
    if (unlock.run(job, fence).changes !== 1) throw new Error(`${job} was lost`);
    close.run(recordText, job, time);
  });
  return { start, end };
}

function rawStore(db: DatabaseClass.Database): RawStore {
  db.exec("CREATE TABLE entries (key TEXT PRIMARY KEY, version INTEGER NOT NULL, value TEXT NOT NULL) WITHOUT ROWID");
  const get = db.prepare<[string], { value: string }>("SELECT value FROM entries WHERE key = ?");
  const put = db.prepare<[string, number, string]>("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)");
  const create = db.prepare<[string, number, string]>("INSERT OR IGNORE INTO entries VALUES (?, ?, ?)");
  const swap = db.prepare<[number, string, string, number]>(
    "UPDATE entries SET version = ?, value = ? WHERE key = ? AND version = ?",
  );
  let last = 0;
  return {
    async get(key) {
      const row = get.get(key);
      return row === undefined ? undefined : JSON.parse(row.value);
    },
    async set(key, value) {
      put.run(key, ++last, JSON.stringify(value));
    },
    async compareAndSet(key, version, value) {
      const text = JSON.stringify(value);
      const next = ++last;
      const { changes } = version === null ? create.run(key, next, text) : swap.run(next, text, key, Number(version));
      return changes === 1 ? String(next) : undefined;
    },
  };
}
