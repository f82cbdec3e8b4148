import { readdirSync, watch } from "node:fs";
import { basename, dirname, join } from "node:path";
import { justAfter, type KeyRange, systemClock } from "@ojm/core/backend";
import { Recorder } from "@ojm/testing/backends";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { WriteTransaction } from "../store/transaction.js";
import { EVERYTHING, eventually, openFile, openRaw, put, temporaryFile } from "../testing/fixtures.js";
import { start } from "../testing/processes.js";

function exactly(key: string): KeyRange {
  return { from: key, to: justAfter(key) };
}

function wakeFiles(file: string): string[] {
  return readdirSync(dirname(file)).filter((name) => name.startsWith(`${basename(file)}-wake-`));
}

/** Calls back whenever the one watcher of a file is woken by others. */
function onWake(file: string, woken: () => void): void {
  const [name, ...others] = wakeFiles(file);
  if (name === undefined || others.length > 0) throw new Error("not one watcher");
  const watcher = watch(join(dirname(file), name), woken);
  onTestFinished(() => watcher.close());
}

function countWakes(file: string): () => number {
  let wakes = 0;
  onWake(file, () => void wakes++);
  return () => wakes;
}

/** Counts rows of `watched`, as another program sees them. */
function countRanges(file: string): () => unknown {
  const count = openRaw(file).prepare("SELECT count(*) FROM watched").pluck();
  return () => count.get();
}

describe("a process that watches a key", () => {
  it("a process that watches a key is woken by commits of others that write the key, and by no other commit", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    const recorder = new Recorder();
    await opened.watch(exactly("a"), recorder);
    const wakes = countWakes(file);
    const writers = { a: start("put", file, "a"), b: start("put", file, "b") };
    await Promise.all([writers.a.next(), writers.b.next()]);
    for (let i = 0; i < 200; i++) {
      writers.b.send(String(i));
      await writers.b.next();
    }
    writers.a.send("1");
    await writers.a.next();
    await eventually(wakes).toBeGreaterThan(0);
    await eventually(() => recorder.values).toEqual(["1"]);
    // Usually 1. Other notifications of the system about a file are far fewer than one per commit.
    expect(wakes()).toBeLessThan(5);
    expect(openRaw(file).prepare("SELECT DISTINCT key FROM changes").pluck().all()).toEqual(["a"]);
  });

  it("a process that is woken for a key can read the new value at once, each time", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    await opened.watch(exactly("a"), new Recorder());
    const value = openRaw(file).prepare("SELECT value FROM entries WHERE key = 'a'").pluck();
    const read: unknown[] = [];
    onWake(file, () => read.push(value.get()));
    const writer = start("put", file, "a");
    await writer.next();
    for (let i = 0; i < 200; i++) {
      writer.send(String(i));
      await writer.next();
      await eventually(() => read.at(-1)).toBe(String(i));
    }
  });

  it("a process learns of a commit even when the writer died before it could wake any process", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    const recorder = new Recorder();
    await opened.watch(exactly("a"), recorder);
    openRaw(file).exec(`
      BEGIN IMMEDIATE;
      UPDATE meta SET version = version + 1, logged = logged + 1;
      INSERT INTO changes (position, key, version, value) SELECT logged, 'a', version, '1' FROM meta;
      COMMIT`);
    await eventually(() => recorder.values).toEqual(["1"]);
  });

  it("a process that watches a key is not woken by its own commits", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    const recorder = new Recorder();
    await opened.watch(exactly("a"), recorder);
    const wakes = countWakes(file);
    for (let i = 0; i < 50; i++) await opened.commit(put("a", String(i)));
    const other = start("put", file, "a");
    await other.next();
    other.send("last");
    await eventually(() => recorder.values.length).toBe(51);
    await eventually(wakes).toBeGreaterThan(0);
    expect(wakes()).toBeLessThan(5);
  });

  it("a process is woken even by a writer whose own sink receives a gap at that moment and commits again", async () => {
    const file = temporaryFile();
    const other = await openFile(file, { ...systemClock });
    const recorder = new Recorder();
    await other.watch(exactly("b"), recorder);
    const wakes = countWakes(file);
    const opened = await openFile(file);
    const sink = new Recorder();
    sink.gap = () => {
      void opened.commit(put("c", "1"));
      // Runs the transaction of that commit at once, within the call.
      void opened.read(["c"]);
    };
    await opened.watch(exactly("a"), sink);
    openRaw(file).exec("DELETE FROM watchers WHERE id = 2");
    await Promise.all([opened.watch(exactly("d"), new Recorder()), opened.commit(put("b", "1"))]);
    await eventually(wakes).toBe(1);
    await eventually(() => recorder.values).toEqual(["1"]);
  });

  it("a process may watch all keys, a range and single keys at the same time", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    const writer = await openWriter(file);
    const ranges = { a: exactly("a"), b: exactly("b"), bs: { from: "b", to: "c" }, all: EVERYTHING };
    const names = ["a", "b", "bs", "all"] as const;
    const recorders = { a: new Recorder(), b: new Recorder(), bs: new Recorder(), all: new Recorder() };
    const stops = new Map<string, () => void>();
    for (const name of names) stops.set(name, await opened.watch(ranges[name], recorders[name]));
    const told = (): string[] => names.map((name) => recorders[name].changes.map(({ key }) => key).join(" "));

    for (const key of ["a", "b", "bb", "c"]) await writer(key);
    await eventually(told).toEqual(["a", "b", "b bb", "a b bb c"]);
    stops.get("all")?.();
    for (const key of ["c", "a", "bb"]) await writer(key);
    await eventually(told).toEqual(["a a", "b", "b bb bb", "a b bb c"]);
    stops.get("a")?.();
    for (const key of ["a", "c", "b"]) await writer(key);
    await eventually(told).toEqual(["a a", "b b", "b bb bb b", "a b bb c"]);
  });

  it("several watches of one key share one row in the database, which goes when the last of them stops", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    const ranges = countRanges(file);
    const one = new Recorder();
    const two = new Recorder();
    const stops = await Promise.all([opened.watch(exactly("a"), one), opened.watch(exactly("a"), two)]);
    expect(ranges()).toBe(1);
    stops[0]();
    stops[0]();
    await opened.commit(put("a", "1"));
    expect([one.values, two.values, ranges()]).toEqual([[], ["1"], 1]);
    stops[1]();
    // Together with another write.
    await opened.commit(put("b", "1"));
    expect(ranges()).toBe(0);
  });

  it("watches that begin together need one transaction, and watches that begin again at once need none", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    const ranges = countRanges(file);
    const keys = Array.from({ length: 32 }, (_, i) => `k${i}`);
    await opened.watch(exactly("first"), new Recorder());
    const transactions = vi.spyOn(WriteTransaction.prototype, "commit");
    onTestFinished(() => transactions.mockRestore());
    const watchAll = (): Promise<(() => void)[]> =>
      Promise.all(keys.map((key) => opened.watch(exactly(key), new Recorder())));
    for (const stop of await watchAll()) stop();
    const stops = await watchAll();
    expect(transactions).toHaveBeenCalledTimes(1);
    expect(ranges()).toBe(33);
    for (const stop of stops) stop();
    // Without further writes, it gets its own transaction.
    await eventually(ranges).toBe(1);
  });
});

describe("wake files", () => {
  it("a wake file is there while its process watches, and not for long after", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    expect(wakeFiles(file)).toEqual([]);
    const stop = await opened.watch(exactly("a"), new Recorder());
    const stopToo = await opened.watch(EVERYTHING, new Recorder());
    expect(wakeFiles(file)).toHaveLength(1);
    stop();
    stopToo();
    await eventually(() => wakeFiles(file)).toEqual([]);
  });

  it("wake files are gone once all processes have closed", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    await opened.watch(EVERYTHING, new Recorder());
    const watchers = [start("watch", file), start("watch", file)];
    for (const watcher of watchers) expect(await watcher.next()).toBe("watching");
    expect(wakeFiles(file)).toHaveLength(3);
    for (const watcher of watchers) {
      watcher.send("end");
      expect(await watcher.exit).toBe(0);
    }
    await opened.close();
    expect(readdirSync(dirname(file))).toEqual([basename(file)]);
  });

  it.each(["opens the file", "begins to watch"])(
    "the wake file of a killed process is removed by the next process that %s",
    async (what) => {
      const file = temporaryFile();
      const first = await openFile(file);
      const watcher = start("watch", file);
      expect(await watcher.next()).toBe("watching");
      watcher.kill("SIGKILL");
      await watcher.exit;
      const left = wakeFiles(file);
      expect(left).toHaveLength(1);
      const next = what === "opens the file" ? start("put", file, "a") : undefined;
      if (next === undefined) await first.watch(exactly("a"), new Recorder());
      else await next.next();
      await eventually(() => wakeFiles(file).filter((name) => left.includes(name))).toEqual([]);
      // The file is removed first, so that a process that dies in between leaves the row for the next one.
      const watched = openRaw(file).prepare("SELECT count(*) FROM watched").pluck();
      await eventually(() => watched.get()).toBe(next === undefined ? 1 : 0);
    },
  );

  it("the wake file of a process that was suspended too long is removed, and the process continues with another", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    const watcher = start("watch", file);
    expect(await watcher.next()).toBe("watching");
    const before = wakeFiles(file);
    watcher.kill("SIGSTOP");
    openRaw(file).exec("UPDATE watchers SET deadline = 0, expires = 0");
    await opened.watch(exactly("a"), new Recorder());
    expect(wakeFiles(file)).toHaveLength(1);
    expect(wakeFiles(file)).not.toEqual(before);
    await opened.commit(put("while it stood", "1"));
    watcher.kill("SIGCONT");
    expect(await watcher.next()).toBe("gap");
    await opened.commit(put("after", "1"));
    expect(await watcher.next()).toMatchObject({ key: "after" });
    expect(wakeFiles(file)).toHaveLength(2);
    watcher.send("end");
    expect(await watcher.exit).toBe(0);
    expect(wakeFiles(file)).toHaveLength(1);
  });
});

/** Writes keys from another process, one after the other. */
async function openWriter(file: string): Promise<(key: string) => Promise<unknown>> {
  const writers = new Map<string, ReturnType<typeof start>>();
  return async (key) => {
    const known = writers.get(key);
    const writer = known ?? start("put", file, key);
    if (known === undefined) await writer.next();
    writers.set(key, writer);
    writer.send("1");
    return writer.next();
  };
}
