import type { StoredWrite } from "@ojm/core/backend";
import { systemClock } from "@ojm/core/backend";
import { describe, expect, it, onTestFinished } from "vitest";
import { openDatabase } from "../database.js";
import { get, openFile, put, rejection, swap, temporaryFile } from "../testing/fixtures.js";
import { start } from "../testing/processes.js";
import { ChangeLog } from "../watch/change-log.js";
import { Interests } from "../watch/interests.js";
import { CommitQueue } from "./commit-queue.js";
import { Deadlines } from "./deadlines.js";
import { Reader } from "./reader.js";
import { WriteTransaction } from "./transaction.js";

/** A queue on a new file that counts its transactions. */
async function countingQueue(): Promise<{
  queue: CommitQueue;
  transaction: WriteTransaction;
  transactions: () => number;
}> {
  const file = temporaryFile();
  const db = await openDatabase(file, "process");
  onTestFinished(() => {
    db.close();
  });
  const deadlines = new Deadlines(systemClock);
  const transaction = new WriteTransaction(
    db,
    new Reader(db, deadlines),
    new ChangeLog(db),
    new Interests(db),
    deadlines,
  );
  let count = 0;
  const events = { before() {}, inside() {}, after: () => void count++ };
  return { queue: new CommitQueue(file, transaction, events), transaction, transactions: () => count };
}

/** A value that no database can store. */
const IMPOSSIBLE = { key: "bad", value: {} } as unknown as StoredWrite;

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe("commits of one turn", () => {
  it("commits of one turn share one transaction, and each commit is judged by itself", async () => {
    const { queue, transactions } = await countingQueue();
    const tries = Array.from({ length: 50 }, (_, i) => queue.commit(swap("lock", null, String(i)), undefined));
    const outcomes = await Promise.all(tries);
    expect(outcomes.map(({ ok }) => ok)).toEqual([true, ...Array.from({ length: 49 }, () => false)]);
    expect(outcomes[49]).toEqual({ ok: false, current: [{ key: "lock", value: "0", version: "1" }] });
    expect(transactions()).toBe(1);
  });

  it("commits of one turn share one transaction even when promises bring them at different moments", async () => {
    const { queue, transactions } = await countingQueue();
    const after = async (steps: number): Promise<void> => {
      for (let i = 0; i < steps; i++) await undefined;
      await queue.commit(put(`k${steps}`, "1"), undefined);
    };
    await turn();
    await undefined;
    await Promise.all([after(0), after(3), after(10)]);
    expect(transactions()).toBe(1);
  });

  it("a commit that fails leaves the other commits of its turn unharmed", async () => {
    const { queue, transactions } = await countingQueue();
    const results = await Promise.allSettled([
      queue.commit(put("a", "1"), undefined),
      queue.commit({ checks: [], writes: [{ key: "c", value: "1" }, IMPOSSIBLE] }, undefined),
      queue.commit(put("b", "1"), undefined),
    ]);
    expect(results).toMatchObject([
      { status: "fulfilled", value: { ok: true } },
      { status: "rejected", reason: { code: "FAILED", outcome: "not-applied" } },
      { status: "fulfilled", value: { ok: true } },
    ]);
    expect(transactions()).toBe(2);
    const again = [queue.commit(put("a", "2"), undefined), queue.commit(swap("c", null, "2"), undefined)];
    expect(await Promise.all(again)).toMatchObject([{ ok: true }, { ok: true }]);
    expect(transactions()).toBe(3);
  });

  it("very many commits of one turn are divided among several transactions", async () => {
    const { queue, transactions } = await countingQueue();
    const many = Array.from({ length: 5_000 }, (_, i) => queue.commit(put(`k${i}`, "1"), undefined));
    expect((await Promise.all(many)).every(({ ok }) => ok)).toBe(true);
    expect(transactions()).toBe(3);
  });
});

describe("a disk that fails at the last step", () => {
  it.each([
    ["in writing", "SQLITE_IOERR_FSYNC", "unknown"],
    ["for want of room", "SQLITE_FULL", "not-applied"],
  ])("a disk that fails %s at the last step fails the commit, and later commits continue", async (_, code, outcome) => {
    const { queue, transaction } = await countingQueue();
    const commit = transaction.commit.bind(transaction);
    transaction.commit = () => {
      transaction.commit = commit;
      throw Object.assign(new Error("the disk failed"), { name: "SqliteError", code });
    };
    expect(await rejection(queue.commit(put("a", "1"), undefined))).toMatchObject({ outcome });
    expect(await queue.commit(swap("a", null, "2"), undefined)).toMatchObject({ ok: true });
  });
});

describe("commits while another process writes", () => {
  it("commits that wait for another process in several transactions keep their order", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    const blocker = start("block", file);
    await blocker.next();
    const commits = [put("a", "1"), ...Array.from({ length: 2_000 }, (_, i) => put(`k${i}`, "1")), put("a", "2")];
    const all = commits.map((commit) => opened.commit(commit));
    await turn();
    blocker.send("go");
    await Promise.all(all);
    expect(await get(opened, "a")).toMatchObject({ value: "2" });
  });

  it("a commit that waits for another process blocks neither the event loop nor reads", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    await opened.commit(put("a", "1"));
    const blocker = start("block", file);
    await blocker.next();
    let state = "waiting";
    const commit = opened.commit(put("a", "2")).then(
      () => (state = "done"),
      () => (state = "failed"),
    );
    // The blocker releases the lock only on request: a commit that blocked the event loop would have failed
    // by then.
    for (let i = 0; i < 10; i++) {
      await turn();
      expect(await get(opened, "a")).toMatchObject({ value: "1" });
    }
    expect(state).toBe("waiting");
    blocker.send("go");
    await commit;
    expect(state).toBe("done");
    expect(await get(opened, "a")).toMatchObject({ value: "2" });
  });

  it("a commit that waits too long for another process fails with TIMEOUT, and is not applied", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    const blocker = start("block", file);
    await blocker.next();
    const errors = await Promise.all([
      rejection(opened.commit(put("a", "1"))),
      rejection(opened.commit(put("b", "1"))),
    ]);
    for (const error of errors) {
      expect(error).toMatchObject({ code: "TIMEOUT", retryable: true, outcome: "not-applied" });
    }
    blocker.send("go");
    await opened.commit(put("c", "1"));
    expect((await opened.read(["a", "b", "c"])).map((entry) => entry?.value)).toEqual([undefined, undefined, "1"]);
  });

  it("a commit that waits for another process can be aborted, and other commits keep waiting", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    const blocker = start("block", file);
    await blocker.next();
    const controller = new AbortController();
    const aborted = rejection(opened.commit(put("a", "1"), { signal: controller.signal }));
    const other = opened.commit(put("b", "1"));
    await turn();
    controller.abort("enough");
    expect(await aborted).toMatchObject({ code: "ABORTED", outcome: "not-applied", cause: "enough" });
    blocker.send("go");
    await other;
    expect((await opened.read(["a", "b"])).map((entry) => entry?.value)).toEqual([undefined, "1"]);
  });

  it("close() waits for a commit that waits for another process", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    const blocker = start("block", file);
    await blocker.next();
    const waiting = opened.commit(put("a", "1"));
    await turn();
    const closing = opened.close();
    blocker.send("go");
    await closing;
    await expect(waiting).resolves.toMatchObject({ ok: true });
  });

  it("a database file that has its tables is opened and read while another process writes", async () => {
    const file = temporaryFile();
    await (await openFile(file)).close();
    const blocker = start("block", file);
    await blocker.next();
    const opened = await openFile(file);
    expect(await get(opened, "a")).toBeUndefined();
    blocker.send("go");
  });

  it("a new database file is opened once the process that writes to it is done", async () => {
    const file = temporaryFile();
    const blocker = start("block", file);
    await blocker.next();
    let state = "waiting";
    const opening = openFile(file).finally(() => {
      state = "done";
    });
    for (let i = 0; i < 10; i++) await turn();
    expect(state).toBe("waiting");
    blocker.send("go");
    const opened = await opening;
    await opened.commit(put("a", "1"));
    expect(await get(opened, "a")).toMatchObject({ value: "1" });
  });
});
