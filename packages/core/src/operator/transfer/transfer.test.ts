import { beforeEach, describe, expect, test } from "vitest";
import type { JobManager } from "../../jobs/manager.js";
import { runId } from "../../jobs/run-id.js";
import type { RunRecord } from "../../jobs/types.js";
import { told } from "../../testing/logs.js";
import { collect, rejection } from "../../testing/settle.js";
import { type ManagerOf, World } from "../../testing/world.js";
import type { Exported, ExportOptions, RunImport } from "./transfer.js";

/* From one store into another. Each world is a store with its own time. */

const MINUTE = 60_000;

let from: World;
let to: World;
let source: ManagerOf;
let target: ManagerOf;

beforeEach(async () => {
  from = new World();
  to = new World();
  // The clock of the target is a day behind.
  to.clock.wall = from.clock.now() - 86_400_000;
  source = await from.manager();
  target = await to.manager();
});

/** Runs that ended in every way, some with a log, an open one, and an action of an operator. */
async function fill(): Promise<void> {
  const { manager } = source;
  const { clock } = from;
  const run = async (name: string, body: () => unknown, options = {}): Promise<void> => {
    await clock.until(manager.run(name, body, options).catch(() => {}));
    await clock.advance(MINUTE);
  };
  await run("import", () => ({ rows: 3 }), { meta: { customer: "x" } });
  await run("import", () => Promise.reject(new TypeError("no")));
  await run("silent", () => {});
  await clock.until(
    manager.run("import", (run) => {
      for (let n = 1; n <= 300; n++) run.log.info(`line ${n} ${"é".repeat(300)}`);
      run.progress(1, 2, "orders");
    }),
  );
  await clock.advance(MINUTE);
  await clock.until(manager.start("report"));
  await clock.until(manager.unlock("report", { reason: "it hangs" }));
  await clock.advance(MINUTE);
  await clock.until(manager.start("open"));
}

async function exported(options?: ExportOptions): Promise<Exported[]> {
  const parts = await from.clock.until(collect(source.manager.exported(options)));
  return JSON.parse(JSON.stringify(parts)) as Exported[];
}

async function importOf(parts: readonly Exported[], into: ManagerOf = target): Promise<RunImport> {
  const importer = await into.manager.openImport();
  for (const part of parts) await to.clock.until(importer.add(part));
  await to.clock.until(importer.flush());
  return importer;
}

async function imported(parts: readonly Exported[], into: ManagerOf = target): Promise<unknown> {
  return (await importOf(parts, into)).counts;
}

const none = { imported: 0, present: 0, leftOut: {} };

async function content(world: World, manager: JobManager): Promise<unknown> {
  const records = await world.clock.until(collect(manager.history()));
  const logs: unknown[] = [];
  for (const { id } of records) {
    logs.push([await world.clock.until(collect(manager.log(id))), await world.clock.until(manager.progress(id))]);
  }
  return {
    records,
    logs,
    failed: await world.clock.until(collect(manager.failedRuns())),
    byName: await world.clock.until(collect(manager.history({ name: "import" }))),
    byStatus: await world.clock.until(collect(manager.history({ status: ["failed", "cancelled"] }))),
    audits: await world.clock
      .until(collect(manager.channels.locks.entries({ prefix: ["audit"] })))
      .then((all) => all.map(({ key, value }) => [key, value])),
  };
}

describe("an export that is imported into an empty store", () => {
  beforeEach(fill);

  test("reports each mark that keeps work from being done again: the other store does not get them", async () => {
    await from.clock.until(source.manager.once("charge", "order 1", () => 1, { keep: 60_000 }));
    await from.clock.until(source.manager.run("report", () => {}, { once: { key: "2026-11", keep: 60_000 } }));
    const left = (await exported()).flatMap((part) => ("leftOut" in part ? [part.leftOut] : []));
    expect(left.slice(1)).toEqual([
      { run: expect.stringMatching(/^charge@/), reason: expect.stringContaining("its key is done only in this store") },
      { run: expect.stringMatching(/^report@/), reason: expect.stringContaining("only this store knows that it ran") },
    ]);
  });

  test("gives equal records, logs, progress, indexes and audits, without the run in progress", async () => {
    const parts = await exported();
    expect(parts.filter((part) => "leftOut" in part)).toEqual([
      { leftOut: { run: expect.stringMatching(/^open@/), reason: "it is still running" } },
    ]);
    expect(await imported(parts)).toMatchObject({ runs: { imported: 5, leftOut: {} }, audits: { imported: 1 } });
    const open = (await from.clock.until(source.manager.openRecords())).map(({ id }) => id);
    expect(open).toHaveLength(1);
    await from.clock.until(source.manager.cancel(open[0] ?? "", { reason: "x", audited: false, wait: 0 }));
    const { records, logs, ...rest } = (await content(from, source.manager)) as {
      records: { id: string }[];
      logs: unknown[];
    };
    const at = records.findIndex(({ id }) => id === open[0]);
    const expected = { ...rest, records: records.toSpliced(at, 1), logs: logs.toSpliced(at, 1) };
    expect(await content(to, target.manager)).toEqual(expected);
    expect(told((await to.clock.until(collect(target.manager.log(records[2]?.id ?? "")))) as never)).toHaveLength(300);
  });

  test("changes nothing when it is imported again, and fills what an import that died left open", async () => {
    const parts = await exported();
    const whole = new World();
    whole.clock.wall = from.clock.now() - 86_400_000;
    const other = await whole.manager();
    const importer = await other.manager.openImport();
    for (const part of parts) await whole.clock.until(importer.add(part));
    await whole.clock.until(importer.flush());

    // The process dies in the middle of a log: after the call that wrote its first parts, and without a
    // flush.
    const middle = parts.findLastIndex((part) => "log" in part);
    const dying = await target.manager.openImport();
    for (const part of parts.slice(0, middle)) await to.clock.until(dying.add(part));
    await imported(parts.slice(0, 5));
    expect(await content(to, target.manager)).not.toEqual(await content(whole, other.manager));
    await imported(parts);
    const before = await content(to, target.manager);
    expect(before).toEqual(await content(whole, other.manager));
    expect(await imported(parts)).toMatchObject({
      runs: { imported: 0, present: 5, leftOut: {} },
      logs: { imported: 0, leftOut: {} },
      audits: { imported: 0, present: 1, leftOut: {} },
    });
    expect(await content(to, target.manager)).toEqual(before);
  });

  test("says whether the fences of this store are below those of the imported runs", async () => {
    const parts = await exported();
    const fences = parts.flatMap((part) => ("run" in part ? (part.run.fence ?? []) : [])).toSorted();
    const lower = await to.clock.until((await importOf(parts)).lowerFences());
    expect(lower).toEqual({ imported: fences.at(-1), here: expect.stringMatching(/^\d{19}$/) });
    expect((lower?.here ?? "") < (lower?.imported ?? "")).toBe(true);
    const back = await from.clock.until(source.manager.openImport().then((target) => target.lowerFences()));
    expect(back).toBeUndefined();
    const again = await source.manager.openImport();
    for (const part of parts) await from.clock.until(again.add(part));
    await from.clock.until(again.flush());
    expect(await from.clock.until(again.lowerFences())).toBeUndefined();
  });

  test("no fence is said to be lower that is as high", async () => {
    const [part] = (await exported({ logs: false })).filter((one) => "run" in one);
    const { run } = part as { readonly run: RunRecord };
    const { locks } = target.manager.channels;
    for (let ahead = 1; ahead <= 8; ahead++) {
      const now = await to.clock.until(locks.commit([{ delete: ["none"] }]));
      const fence = String(Number(now.ok && now.version) + ahead).padStart(19, "0");
      const startTime = run.startTime + ahead;
      const importer = await importOf([{ run: { ...run, startTime, id: runId({ ...run, startTime }), fence } }]);
      const { here = "", imported = "" } = (await to.clock.until(importer.lowerFences())) ?? {};
      expect(here === "" || here < imported).toBe(true);
    }
  });

  test("is of one name, of a range of time, and without logs, if that is asked for", async () => {
    const ids = (parts: readonly Exported[]): string[] =>
      parts.flatMap((part) => ("run" in part ? [part.run.name] : Object.keys(part)));
    expect(ids(await exported({ name: "silent" }))).toEqual(["silent"]);
    expect(ids(await exported({ logs: false }))).toEqual([
      "leftOut",
      "report",
      "import",
      "silent",
      "import",
      "import",
      "audit",
    ]);
    const all = await from.clock.until(collect(source.manager.history()));
    const third = all.at(2)?.startTime ?? 0;
    expect(ids(await exported({ to: third, logs: false }))).toEqual(["silent", "import", "import"]);
    expect(ids(await exported({ from: third, logs: false }))).toEqual(["leftOut", "report", "import", "audit"]);
    expect(await rejection(exported({ from: "x" as never }))).toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  test("takes the acts from `from` on and before `to`", async () => {
    const { locks } = source.manager.channels;
    const acts = async (options: ExportOptions): Promise<number> =>
      (await exported(options)).filter((part) => "audit" in part).length;
    let at = Number.NaN;
    for await (const { key } of locks.keys({ prefix: ["audit"] })) at = (key as number[])[2] ?? at;
    expect(await acts({ from: at, to: at + 1 })).toBe(1);
    expect(await acts({ to: at })).toBe(0);
    expect(await acts({ from: at + 1 })).toBe(0);
  });

  test("writes no record before its log is complete", async () => {
    const parts = await exported({ name: "import" });
    const run = parts.find((part) => "run" in part && part.run.status === "completed");
    const log = parts.find((part) => "log" in part);
    if (run === undefined || log === undefined || !("log" in log) || !("run" in run)) throw new Error("no log");
    const importer = await target.manager.openImport();
    await to.clock.until(importer.add(run));
    for (let part = 0; part < 1_200; part++) {
      await to.clock.until(importer.add({ log: { ...log.log, run: run.run.id, part } }));
    }
    // A process that dies here leaves a part of the log. The next import would mistake a record for the whole
    // run.
    expect(importer.counts.logs.imported).toBeGreaterThan(0);
    expect(await collect(target.manager.history())).toEqual([]);
    await to.clock.until(importer.flush());
    expect((await collect(target.manager.history())).map(({ id }) => id)).toEqual([run.run.id]);
  });

  test("leaves out a run whose id another run has, with its log", async () => {
    const parts = await exported();
    const other = parts.map((part) =>
      "run" in part ? { run: { ...part.run, trigger: "another" } } : "log" in part || "progress" in part ? [] : part,
    );
    await imported(other.flat());
    const before = await content(to, target.manager);
    const taken = { "the store has another one of the same id": 5 };
    expect(await imported(parts)).toMatchObject({
      runs: { imported: 0, present: 0, leftOut: taken },
      logs: { imported: 0 },
    });
    expect(await content(to, target.manager)).toEqual(before);
  });

  test("leaves out what is too large for the store, and takes the rest", async () => {
    const supports = { maxValueBytes: 2_000, maxOps: 12 };
    const small = await to.manager({ supports });
    const parts = await exported();
    const first = parts.find((part) => "run" in part && part.run.name === "import");
    if (first === undefined || !("run" in first)) throw new Error("no run");
    const large = {
      run: { ...first.run, startTime: 1, startDate: new Date(1).toISOString(), id: "x", result: "x".repeat(3_000) },
    };
    expect(await imported([...parts, large], small)).toMatchObject({
      runs: { imported: 5, leftOut: { "it is too large for this store": 1 } },
      logs: { leftOut: { "it is too large for this store": expect.any(Number) } },
    });
  });
});

test("an imported run holds no lock, is not an orphan, and its name runs as before", async () => {
  await fill();
  await imported(await exported());
  await to.clock.advance(10 * MINUTE);
  expect(await to.clock.until(target.manager.heldLocks())).toEqual([]);
  const statuses = (await to.clock.until(collect(target.manager.history()))).map(({ status }) => status);
  expect(statuses).not.toContain("lost");
  await to.clock.until(target.manager.run("import", () => {}, { wait: 0 }));
});

test("a manager whose records, locks and logs are in two stores exports and imports too", async () => {
  await fill();
  const apart = await to.manager({ apart: true });
  expect(await imported(await exported(), apart)).toMatchObject({ runs: { imported: 5 }, audits: { imported: 1 } });
});

test.each<[unknown, RegExp]>([
  [5, /not part of an export/],
  [{ other: 1 }, /not part of an export/],
  [{ run: { name: "a" } }, /needs a name and a start time/],
  [{ run: { name: "a", startTime: 1, status: "odd" } }, /the record of a@1970-.* is damaged/],
  [
    { log: { run: "a@1970-01-01T00:00:00.001Z", part: 0, at: 1, line: 1, offset: 0, lines: 1, text: "x" } },
    /does not follow its run/,
  ],
  [{ log: { run: "a", part: 0, at: 1, line: 1, offset: 0, lines: 2, text: "x" } }, /a part of a log is damaged/],
  [{ audit: { key: ["lock", "a", 1], value: {} } }, /not part of an export/],
])("what was not exported by ojm is refused: %#", async (part, message) => {
  await expect((await target.manager.openImport()).add(part as Exported)).rejects.toThrow(message);
});

test("nothing waits in an export of an empty store", async () => {
  expect(await exported()).toEqual([]);
  expect(await imported([])).toEqual({ runs: none, logs: none, audits: none });
});
