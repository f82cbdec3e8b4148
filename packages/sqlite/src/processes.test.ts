import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { conditions } from "@ojm/testing/programs";
import { describe, expect, it } from "vitest";
import { EVERYTHING, get, openFile, openRaw, put, rejection, temporaryFile, versionOf } from "./testing/fixtures.js";
import { start } from "./testing/processes.js";

function integrity(file: string): unknown {
  return openRaw(file).pragma("integrity_check", { simple: true });
}

describe("many processes on one database file", () => {
  it("eight processes that increment a counter by compare-and-set lose no increment", async () => {
    const file = temporaryFile();
    const programs = Array.from({ length: 8 }, () => start("increment", file, "100"));
    for (const program of programs) expect(await program.exit).toBe(0);
    expect(await get(await openFile(file), "counter")).toMatchObject({ value: "800" });
    expect(integrity(file)).toBe("ok");
  });

  it("many processes may open, create and close one database file at once", async () => {
    const file = temporaryFile();
    const programs = Array.from({ length: 6 }, () => start("open-close", file, "25"));
    for (const program of programs) expect(await program.exit).toBe(0);
    const { entries } = await (await openFile(file)).scan({
      ...EVERYTHING,
      reverse: false,
      limit: 1_000,
      values: true,
    });
    expect(entries).toHaveLength(150);
    expect(new Set(entries.map(({ version }) => version)).size).toBe(150);
  });

  it("many processes that write do not let the write-ahead log grow without bound", { tags: ["full"] }, async () => {
    const file = temporaryFile();
    const programs = Array.from({ length: 4 }, () => start("write", file));
    for (const program of programs) for (let i = 0; i < 3_000; i++) await program.next();
    for (const program of programs) program.kill("SIGKILL");
    for (const program of programs) await program.exit;
    const log = readFileSync(`${file}-wal`);
    // SQLite counts in the header of the log how often it began to write it from the start again. A program
    // that was killed after it emptied the log, and before the next write, leaves no header.
    if (log.length > 0) expect(log.readUInt32BE(12)).toBeGreaterThan(0);
  });
});

describe("-wal and -shm deleted while a process has the database open", () => {
  it("another process cannot open the database until that process has ended, and then finds its commits", async () => {
    const file = temporaryFile();
    const program = start("put", file, "k");
    await program.next();
    rmSync(`${file}-wal`);
    rmSync(`${file}-shm`);
    expect(await rejection(openFile(file))).toMatchObject({ code: "GONE", message: expect.stringContaining("lsof") });
    program.kill("SIGKILL");
    await program.exit;
    await openFile(file);
  });

  it("a process that closes the database leaves its commits in it, even while another one asks for it", async () => {
    const file = temporaryFile();
    for (let round = 1; round <= 8; round++) {
      const opened = await openFile(file);
      await opened.commit(put("k", String(round)));
      rmSync(`${file}-wal`);
      const prober = start("probe", file);
      await prober.next();
      await opened.close();
      prober.kill("SIGKILL");
      await prober.exit;
      const db = openRaw(file);
      expect(db.prepare("SELECT value FROM entries").pluck().get()).toBe(String(round));
      db.close();
    }
  });
});

describe("a long read transaction, such as a backup", () => {
  it("a long read transaction, such as a backup, does not stop others from writing", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    const reader = openRaw(file);
    reader.exec("BEGIN; SELECT count(*) FROM entries");
    const value = "x".repeat(1_000_000);
    for (let i = 0; i < 30; i++) await opened.commit(put(`k${i}`, value));
    expect(reader.prepare("SELECT count(*) FROM entries").pluck().get()).toBe(0);
    reader.exec("COMMIT");
    expect(reader.prepare("SELECT count(*) FROM entries").pluck().get()).toBe(30);
  });
});

describe("a worker thread", () => {
  it("a worker thread may use the database file that its process has open", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    const program = new URL("testing/programs/thread.child.ts", import.meta.url).href;
    // Node 20 does not apply the loaders of --import to a worker's own file.
    const code = `import("tsx/esm/api").then(({ register }) => { register(); return import(${JSON.stringify(program)}); })`;
    const worker = new Worker(code, { eval: true, workerData: file, execArgv: conditions() });
    const ended = once(worker, "exit");
    for (let i = 0; i < 100; i++) await opened.commit(put("main", String(i)));
    expect(await ended).toEqual([0]);
    expect((await opened.read(["main", "thread"])).map((entry) => entry?.value)).toEqual(["99", "99"]);
  });
});

describe("a process that is killed while it writes", () => {
  it("a process that is killed while it writes loses no acknowledged commit, and leaves none half done", async () => {
    const file = temporaryFile();
    for (const after of [1, 7, 50, 200]) {
      const program = start("write", file);
      let last = { pair: -1, version: "0" };
      for (let i = 0; i < after; i++) last = await program.next();
      program.kill("SIGKILL");
      await program.exit;
      const opened = await openFile(file);
      const { entries } = await opened.scan({ ...EVERYTHING, reverse: false, limit: 100_000, values: false });
      const pairs = new Map<string, number>();
      for (const { key } of entries) pairs.set(key.slice(0, 8), (pairs.get(key.slice(0, 8)) ?? 0) + 1);
      expect([...pairs.values()].every((sides) => sides === 2)).toBe(true);
      expect(pairs.size).toBeGreaterThan(last.pair);
      const next = versionOf(await opened.commit(put("~", "1")));
      expect(BigInt(next)).toBeGreaterThan(BigInt(last.version));
      await opened.commit({ checks: [], writes: [{ key: "~", value: null }] });
      expect(integrity(file)).toBe("ok");
      await opened.close();
    }
  });
});
