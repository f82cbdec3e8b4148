import { beforeEach, describe, expect, it } from "vitest";
import { collect, rejection } from "../../../core/src/testing/settle.js";
import { CHANNEL } from "../store/schema.js";
import { type SchedulerOf, World } from "../testing/world.js";
import {
  type ExportedSchedulePart,
  exportedSchedules,
  openScheduleImport,
  type ScheduleExportOptions,
  type ScheduleImportCounts,
} from "./transfer.js";

/* From one store into another. Each world is a store with its own time. */

const MINUTE = 60_000;

let from: World;
let to: World;
let source: SchedulerOf;
let target: SchedulerOf;

beforeEach(async () => {
  from = new World("2030-01-01T00:00:30Z");
  to = new World("2030-01-01T00:00:30Z");
  source = await from.scheduler("one");
  target = await to.scheduler("two");
});

async function exported(options: ScheduleExportOptions = {}): Promise<ExportedSchedulePart[]> {
  const all = exportedSchedules(source.manager, { clock: from.clock, ...options });
  return JSON.parse(JSON.stringify(await from.clock.until(collect(all)))) as ExportedSchedulePart[];
}

async function imported(parts: readonly ExportedSchedulePart[]): Promise<ScheduleImportCounts> {
  const importer = await to.clock.until(openScheduleImport(target.manager, { clock: to.clock }));
  for (const part of parts) await to.clock.until(importer.add(part));
  await to.clock.until(importer.flush());
  return JSON.parse(JSON.stringify(importer.counts)) as ScheduleImportCounts;
}

const addEach = (world: World, { scheduler, body }: SchedulerOf, takes = 0, more = {}): Promise<void> =>
  world.clock.until(scheduler.add("a", { every: MINUTE, ...more }, body(takes)));

const DECIDED = "the store has an outcome for this tick";

describe("a schedule that is exported", () => {
  it.each(["schedule", "cursor"])(
    "is left out, and reported, if its %s is damaged; the others are exported",
    async (kind) => {
      for (const name of ["a", "b"])
        await from.clock.until(source.scheduler.add(name, { every: MINUTE }, source.body()));
      const channel = await source.manager.channel<unknown>(CHANNEL);
      await channel.set([kind, "a"], "of another program");
      const reason = "a schedule with a damaged entry";
      expect(await exported()).toMatchObject([{ leftOut: { schedule: "a", reason } }, { schedule: { name: "b" } }]);
    },
  );
});

describe("a schedule that is imported", () => {
  it("brings its outcomes, and its ticks continue with the first one after the import: none is run twice", async () => {
    await addEach(from, source);
    await from.until("00:03:30");
    const parts = await exported();
    await from.until("00:05:30");
    expect(source.ran.at(-1)).toBe("00:05:00");
    await to.until("00:05:30");
    expect(await imported(parts)).toEqual({
      schedules: { imported: 1, present: 0, leftOut: {} },
      ticks: { imported: 3, present: 0, leftOut: {} },
    });
    await addEach(to, target);
    await to.until("00:07:30");
    expect(await to.ticks(target)).toEqual([
      "00:01:00 run by one",
      "00:02:00 run by one",
      "00:03:00 run by one",
      "00:04:00-00:05:00 (2) missed imported",
      "00:06:00 run by two",
      "00:07:00 run by two",
    ]);
    expect(target.ran).toEqual(["00:06:00", "00:07:00"]);
  });

  it("brings its pause", async () => {
    await addEach(from, source);
    await from.clock.until(source.scheduler.pause("a", { reason: "the disk is full", author: "ana" }));
    const parts = await exported();
    await imported(parts);
    const { value: schedule } = await to.clock.until(target.scheduler.schedules().next());
    expect(schedule).toMatchObject({ name: "a", paused: { reason: "the disk is full", by: "ana" } });
    await addEach(to, target);
    await to.until("00:01:30");
    expect(target.ran).toEqual([]);
  });

  it("leaves ticks that wait for their run to the other store", async () => {
    await addEach(from, source, 10 * MINUTE, { overlap: "queue" });
    await from.until("00:03:30");
    const parts = await exported();
    await to.until("00:03:40");
    await imported(parts);
    await addEach(to, target, 0, { overlap: "queue" });
    await to.until("00:04:30");
    expect(target.ran).toEqual(["00:04:00"]);
    expect((await to.ticks(target)).slice(1)).toEqual([
      "00:02:00 missed imported",
      "00:03:00 missed imported",
      "00:04:00 run by two",
    ]);
  });

  it("changes nothing when it is imported again", async () => {
    await addEach(from, source);
    await from.until("00:03:30");
    const parts = await exported();
    await to.until("00:03:40");
    await imported(parts);
    const before = await to.ticks(target);
    expect(await imported(parts)).toEqual({
      schedules: { imported: 0, present: 1, leftOut: {} },
      ticks: { imported: 0, present: 3, leftOut: {} },
    });
    expect(await to.ticks(target)).toEqual(before);
  });

  it("a later export moves the schedule on, if no process has run it here", async () => {
    await addEach(from, source);
    await from.until("00:02:30");
    await to.until("00:02:30");
    await imported(await exported());
    await from.until("00:04:30");
    await to.until("00:04:30");
    expect(await imported(await exported())).toMatchObject({
      schedules: { imported: 1 },
      ticks: { imported: 2, present: 2 },
    });
    await addEach(to, target);
    await to.until("00:05:30");
    expect(target.ran).toEqual(["00:05:00"]);
  });

  it("stays as it is if a scheduler runs it here, and an outcome of the other store is not run here", async () => {
    await addEach(from, source);
    await addEach(to, target);
    await from.until("00:03:30");
    await to.until("00:02:30");
    const counts = await imported(await exported());
    expect(counts.ticks).toEqual({ imported: 1, present: 0, leftOut: { [DECIDED]: 2 } });
    await to.until("00:04:30");
    expect(target.ran).toEqual(["00:01:00", "00:02:00", "00:04:00"]);
    expect((await to.ticks(target)).slice(1, 4)).toEqual([
      "00:02:00 run by two",
      "00:03:00 run by one",
      "00:04:00 run by two",
    ]);
  });

  it("is left out if it was removed here since, or has another definition here", async () => {
    await addEach(from, source);
    await to.clock.until(target.scheduler.add("a", { every: 2 * MINUTE }, target.body()));
    const parts = await exported();
    expect((await imported(parts)).schedules.leftOut).toEqual({ "the store has another definition of it": 1 });
    await to.until("00:00:40");
    await to.clock.until(target.scheduler.remove("a"));
    expect((await imported(parts)).schedules.leftOut).toEqual({ "it was removed from this store since": 1 });
    await from.until("00:00:50");
    expect((await imported(await exported())).schedules).toMatchObject({ imported: 1 });
  });

  it("has an outcome for each tick up to its cursor, however the schedule continues while it is read", async () => {
    await addEach(from, source);
    await from.until("00:03:30");
    const parts: ExportedSchedulePart[] = [];
    const reading = exportedSchedules(source.manager, { clock: from.clock });
    for (const time of ["00:04:30", "00:05:30", "00:06:30", "00:06:40", "00:06:50", "00:06:55", "00:06:56"]) {
      const { value } = await from.clock.until(reading.next());
      if (value !== undefined) parts.push(value);
      await from.until(time);
    }
    parts.push(...(await from.clock.until(collect(reading))));
    const decided = new Set(parts.flatMap((part) => ("tick" in part ? [from.time(part.tick.at)] : [])));
    const last = parts.at(-1);
    if (last === undefined || !("schedule" in last)) throw new Error("no schedule at the end");
    const due = [1, 2, 3, 4, 5, 6]
      .map((minute) => `00:0${minute}:00`)
      .filter((time) => time <= from.time(last.schedule.cursor.at));
    expect(due.length).toBeGreaterThan(3);
    expect([...decided].sort()).toEqual(due);
  });
});

it("an export is of one schedule, of a range of time, and has ticks of schedules that were removed", async () => {
  await addEach(from, source);
  await from.clock.until(source.scheduler.add("b", { every: MINUTE }, source.body()));
  await from.until("00:04:30");
  await from.clock.until(source.scheduler.remove("b"));
  const shown = (parts: readonly ExportedSchedulePart[]): string[] =>
    parts.map((part) => {
      if ("tick" in part) return `${part.tick.schedule} ${from.time(part.tick.at)}`;
      return "schedule" in part ? part.schedule.name : part.leftOut.reason;
    });
  const range = { from: Date.parse("2030-01-01T00:03:00Z"), to: Date.parse("2030-01-01T00:04:00Z") };
  expect(shown(await exported(range))).toEqual(["a 00:03:00", "a", "b 00:03:00"]);
  expect(shown(await exported({ ...range, name: "b" }))).toEqual(["b 00:03:00"]);
  expect(await imported(await exported({ name: "b" }))).toMatchObject({
    ticks: { imported: 4 },
    schedules: { imported: 0 },
  });
});

it.each<[object, RegExp]>([
  [{ tick: { schedule: "a", at: 1 } }, /the outcome of a tick is damaged/],
  [{ schedule: { name: "a" } }, /a schedule is damaged/],
  [
    {
      schedule: {
        name: "a",
        hash: "x",
        definition: { evry: 5 },
        revision: 1,
        past: [],
        since: 1,
        cursor: { at: 1 },
        read: 1,
      },
    },
    /evry/,
  ],
])("what was not exported by ojm is refused: %#", async (part, message) => {
  expect(await rejection(imported([part as ExportedSchedulePart]))).toMatchObject({
    code: "INVALID",
    message: expect.stringMatching(message),
  });
});
