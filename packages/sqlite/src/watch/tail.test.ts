import { justAfter } from "@ojm/core/backend";
import { Recorder } from "@ojm/testing/backends";
import { describe, expect, it } from "vitest";
import {
  EVERYTHING,
  eventually,
  get,
  openFile,
  openRaw,
  put,
  remove,
  TestClock,
  temporaryFile,
  versionOf,
} from "../testing/fixtures.js";
import { start } from "../testing/processes.js";

interface Told {
  readonly key: string;
  readonly value: string | null;
  readonly version: string;
}

describe("a watch", () => {
  it("a watch reports the writes and deletes of its own backend by the time that they are acknowledged", async () => {
    const opened = await openFile(temporaryFile());
    await opened.commit(put("a", "0"));
    const recorder = new Recorder();
    await opened.watch(EVERYTHING, recorder);
    const versions = [
      versionOf(await opened.commit(put("a", "1"))),
      versionOf(await opened.commit(put("a", "1"))),
      versionOf(await opened.commit(remove("a"))),
    ];
    expect(recorder.changes).toEqual([
      { key: "a", value: "1", version: versions[0] },
      { key: "a", value: "1", version: versions[1] },
      { key: "a", value: null, version: versions[2] },
    ]);
  });

  it("a watch reports nothing for the delete of an absent key, nor for a refused commit", async () => {
    const opened = await openFile(temporaryFile());
    const recorder = new Recorder();
    await opened.watch(EVERYTHING, recorder);
    await opened.commit(remove("a"));
    await opened.commit({ checks: [{ key: "a", version: "9" }], writes: [{ key: "a", value: "1" }] });
    expect(recorder.changes).toEqual([]);
  });

  it("a watch reports the changes in its range, from the moment when it begins until it is stopped", async () => {
    const opened = await openFile(temporaryFile());
    const first = new Recorder();
    const stopFirst = await opened.watch({ from: "b", to: "c" }, first);
    await opened.commit(put("b", "1"));
    const second = new Recorder();
    const stopSecond = await opened.watch(EVERYTHING, second);
    await opened.commit(put("c", "2"));
    await opened.commit(put("bb", "3"));
    stopFirst();
    stopFirst();
    await opened.commit(put("b", "4"));
    stopSecond();
    await opened.commit(put("b", "5"));
    expect(first.values).toEqual(["1", "3"]);
    expect(second.values).toEqual(["2", "3", "4"]);
  });

  it("a watch can be begun and ended again and again, at any moment", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    const watchers = openRaw(file).prepare("SELECT (SELECT count(*) FROM watchers), watching FROM meta").raw();
    for (let i = 0; i < 10; i++) {
      const recorder = new Recorder();
      const beginning = [opened.watch(EVERYTHING, new Recorder()), opened.watch(EVERYTHING, recorder)];
      const [stop, stopToo] = await Promise.all(beginning);
      stop?.();
      await opened.commit(put("a", String(i)));
      expect(recorder.values).toEqual([String(i)]);
      expect(watchers.get()).toEqual([1, 1]);
      stopToo?.();
    }
    await eventually(() => watchers.get()).toEqual([0, 0]);
  });

  it("the sink of a watch may read, write and stop the watch while it receives a change", async () => {
    const opened = await openFile(temporaryFile());
    const values: unknown[] = [];
    let stop: (() => void) | undefined;
    const done = new Promise<void>((resolve) => {
      const sink = new Recorder();
      sink.change = async ({ key, value }) => {
        values.push([key, value, (await get(opened, key))?.value]);
        if (key === "b") return;
        await opened.commit(put("b", "2"));
        stop?.();
        resolve();
      };
      void opened.watch(EVERYTHING, sink).then((end) => {
        stop = end;
        return opened.commit(put("a", "1"));
      });
    });
    await done;
    await opened.commit(put("a", "3"));
    expect(values).toEqual([
      ["a", "1", "1"],
      ["b", "2", "2"],
    ]);
  });

  it("a sink that commits while it receives a change receives its own commit too", async () => {
    const opened = await openFile(temporaryFile());
    const recorder = new Recorder();
    const told: number[] = [];
    let done: Promise<unknown> | undefined;
    await opened.watch(EVERYTHING, {
      change(change) {
        recorder.change(change);
        if (done !== undefined) return;
        const commit = opened.commit(put("b", "2")).then(() => told.push(recorder.changes.length));
        // A read makes earlier writes take effect at once.
        done = Promise.all([commit, opened.read(["b"])]);
      },
      gap() {},
      fail() {},
    });
    await opened.commit(put("a", "1"));
    await done;
    expect(recorder.values).toEqual(["1", "2"]);
    expect(told).toEqual([2]);
  });

  it("a watch reports all changes of a large commit at once, and leaves none for the next commit or check", async () => {
    const opened = await openFile(temporaryFile());
    const recorder = new Recorder();
    await opened.watch(EVERYTHING, recorder);
    await opened.commit({ checks: [], writes: Array.from({ length: 650 }, (_, i) => ({ key: `k${i}`, value: "1" })) });
    // A few turns of the event loop, which are over long before the next poll.
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(recorder.changes).toHaveLength(650);
  });

  it("a watch leaves no rows in the database when its backend is closed", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    await opened.watch(EVERYTHING, new Recorder());
    await opened.commit(put("a", "1"));
    await opened.close();
    const counts = `
      SELECT (SELECT count(*) FROM watchers) + (SELECT count(*) FROM watched) + (SELECT count(*) FROM changes) + watching
      FROM meta`;
    expect(openRaw(file).prepare(counts).pluck().get()).toBe(0);
  });
});

describe("a watch across processes", () => {
  it("a watch reports every change of another process once, in the order of versions", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    const watcher = start("watch", file);
    expect(await watcher.next()).toBe("watching");
    const versions: string[] = [];
    for (let i = 0; i < 300; i++) versions.push(versionOf(await opened.commit(put("a", String(i)))));
    versions.push(versionOf(await opened.commit(remove("a"))));
    const told: Told[] = [];
    while (told.length < 301) told.push(await watcher.next<Told>());
    expect(told.map(({ version }) => version)).toEqual(versions);
    expect(told.at(-1)).toMatchObject({ key: "a", value: null });
    watcher.send("end");
    expect(await watcher.exit).toBe(0);
  });

  it("a watch is woken by every commit of another process, not only by the first", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    const recorder = new Recorder();
    await opened.watch(EVERYTHING, recorder);
    const writer = start("put", file, "text");
    await writer.next();
    for (let i = 0; i < 30; i++) {
      writer.send(String(i));
      await writer.next();
      await eventually(() => recorder.values.at(-1)).toBe(String(i));
    }
    expect(recorder.changes).toHaveLength(30);
  });

  it("a watch reports own and foreign commits in the order of their versions", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    const recorder = new Recorder();
    await opened.watch(EVERYTHING, recorder);
    const others = [start("increment", file, "50"), start("increment", file, "50")];
    for (let i = 0; i < 200; i++) await opened.commit(put("own", String(i)));
    for (const other of others) expect(await other.exit).toBe(0);
    await eventually(() => recorder.changes.length).toBe(300);
    const versions = recorder.changes.map(({ version }) => Number(version));
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    expect(new Set(versions).size).toBe(300);
    expect(recorder.gaps).toBe(0);
  });

  it("a watch that falls behind receives a gap, and continues from there", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    const watcher = start("watch", file);
    expect(await watcher.next()).toBe("watching");
    await opened.commit(put("before", "1"));
    expect(await watcher.next()).toMatchObject({ key: "before" });
    watcher.kill("SIGSTOP");
    const value = "x".repeat(1_000_000);
    for (let i = 0; i < 25; i++) await opened.commit(put("large", value));
    const last = versionOf(await opened.commit(put("after", "1")));
    const rows = openRaw(file).prepare("SELECT count(*) FROM changes").pluck();
    expect(rows.get()).toBeLessThan(22);
    watcher.kill("SIGCONT");
    expect(await watcher.next()).toBe("gap");
    let told: Told;
    do told = await watcher.next<Told>();
    while (told.version !== last);
    expect(told).toMatchObject({ key: "after", value: "1" });
  });

  it("the watch of a killed process is forgotten", async () => {
    const file = temporaryFile();
    const first = await openFile(file);
    const watcher = start("watch", file);
    expect(await watcher.next()).toBe("watching");
    watcher.kill("SIGKILL");
    await watcher.exit;
    await first.commit(put("a", "1"));
    const counts = openRaw(file)
      .prepare("SELECT (SELECT count(*) FROM watchers), (SELECT count(*) FROM changes), watching FROM meta")
      .raw();
    expect(counts.get()).toEqual([1, 1, 1]);
    await first.close();
    await openFile(file);
    await eventually(() => counts.get()).toEqual([0, 0, 0]);
  });

  it("a watch is forgotten when its lease is over and it is unknown whether its process lives", async () => {
    const file = temporaryFile();
    const clock = new TestClock();
    const watching = await openFile(file, clock);
    await watching.watch(EVERYTHING, new Recorder());
    const raw = openRaw(file);
    raw.exec("UPDATE watchers SET namespace = 'of another container'");
    const pids = raw.prepare("SELECT count(*) FROM watchers WHERE namespace = 'of another container'").pluck();
    const later = new TestClock();
    later.pass(59_999);
    await (await openFile(file, later)).close();
    expect(pids.get()).toBe(1);
    later.pass(1);
    await (await openFile(file, later)).close();
    expect(pids.get()).toBe(0);
  });

  it("a watch that was taken for dead enters again, and reports the gap", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    const recorder = new Recorder();
    await opened.watch(EVERYTHING, recorder);
    const narrow = new Recorder();
    await opened.watch({ from: "a", to: justAfter("a") }, narrow);
    openRaw(file).exec("DELETE FROM watchers; DELETE FROM watched; UPDATE meta SET watching = 0");
    await eventually(() => recorder.gaps).toBe(1);
    await opened.commit(put("a", "1"));
    await opened.commit(put("b", "2"));
    expect(recorder.values).toEqual(["1", "2"]);
    expect(narrow.values).toEqual(["1"]);
    expect(narrow.gaps).toBe(1);
  });

  it("a process that was taken for dead enters its watches again when it begins another one", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    const before = new Recorder();
    await opened.watch({ from: "a", to: "b" }, before);
    openRaw(file).exec("DELETE FROM watchers; DELETE FROM watched; UPDATE meta SET watching = 0");
    const after = new Recorder();
    await opened.watch({ from: "c", to: justAfter("c") }, after);
    await opened.commit({
      checks: [],
      writes: [
        { key: "a", value: "1" },
        { key: "c", value: "2" },
      ],
    });
    expect([before.gaps, before.values, after.values]).toEqual([1, ["1"], ["2"]]);
  });

  it("a watch ends with CORRUPT when the database file is damaged", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    const recorder = new Recorder();
    await opened.watch(EVERYTHING, recorder);
    openRaw(file).exec("DROP TABLE changes; UPDATE meta SET logged = logged + 1");
    await eventually(() => recorder.failures).toMatchObject([{ code: "CORRUPT" }]);
  });
});
