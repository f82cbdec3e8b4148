import type { RunRecord } from "@ojm/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { JobDetail, Lane, Timeline } from "../../contract/types.js";
import { openTestUi, type TestUi } from "../../testing/test-ui.js";

const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** More runs of a name than the newest that a lane once had. */
const MANY = 2_000;

let it: TestUi;

beforeEach(async () => {
  it = await openTestUi();
});

afterEach(async () => {
  await it[Symbol.asyncDispose]();
});

/** Writes runs of a job that started at a fixed interval until a minute ago; each 400th of them failed. */
async function write(name: string, runs: number, every: number): Promise<readonly RunRecord[]> {
  const target = await it.manager.openImport();
  const end = Date.now() - MINUTE;
  const records = Array.from({ length: runs }, (_, i): RunRecord => {
    const startTime = end - (runs - i) * every;
    const startDate = new Date(startTime).toISOString();
    const inError = i % 400 === 0;
    return {
      ...{ name, startTime, startDate, id: `${name}@${startDate}`, status: inError ? "failed" : "completed" },
      ...{ holder: { host: "h", pid: 1, instance: "i" }, trigger: "schedule", timeout: HOUR, fence: "1" },
      ...{ endTime: startTime + 1_000, duration: 1_000, inError },
    };
  });
  for (const run of records) await target.add({ run });
  await target.flush();
  return records;
}

const timeline = (from: number, to: number): Promise<Timeline> =>
  it.get<Timeline>(`/api/v1/timeline?from=${from}&to=${to}&px=1000`);

const counted = (lane: Lane | undefined): number => lane?.bars.reduce((sum, [, , , count]) => sum + count, 0) ?? 0;

test("a lane with thousands of runs has all of them, and a failure does not colour the others", async () => {
  const runs = await write("many", MANY, 5 * MINUTE);
  await write("few", 20, HOUR);
  const now = Date.now();
  const { lanes, missing } = await timeline(now - 7 * DAY, now);
  expect(missing).toBeUndefined();
  const [few, many] = lanes;
  const first = Math.floor((now - 7 * DAY) / HOUR) * HOUR;
  expect(counted(few)).toBe(20);
  expect(few?.bars.every(([, , , , id]) => id !== undefined)).toBe(true);
  expect(counted(many)).toBe(runs.filter(({ startTime }) => startTime >= first).length);
  expect(many?.bars[0]?.[0]).toBeLessThan(now - 6.9 * DAY);
  const red = many?.bars.filter(([, , status]) => status === "failed") ?? [];
  expect(red.length).toBeGreaterThanOrEqual(4);
  for (const [start, end] of red) expect(end - start).toBeLessThanOrEqual(HOUR);
});

test("a day of a dense lane is counted by minutes, with the run in progress by itself", async () => {
  await write("dense", 1_400, MINUTE);
  const now = Date.now();
  const from = now - DAY;
  await using run = await it.manager.start("dense");
  const { lanes } = await timeline(from, Date.now() + MINUTE);
  expect(counted(lanes[0])).toBe(1_401);
  expect(lanes[0]?.bars.at(-1)?.slice(2)).toEqual(["running", 1, run.id]);
});

test("closer, each run of a dense lane has its id, and none is outside of what is shown", async () => {
  const runs = await write("dense", 1_400, MINUTE);
  const from = runs[700]?.startTime ?? 0;
  const { lanes } = await timeline(from, from + HOUR);
  const ids = lanes[0]?.bars.map(([, , , , id]) => id);
  expect(ids).toEqual(runs.slice(700, 760).map(({ id }) => id));
  const [start, end] = [lanes[0]?.bars[0]?.[0] ?? 0, lanes[0]?.bars.at(-1)?.[1] ?? 0];
  expect(start).toBeGreaterThanOrEqual(from);
  expect(end).toBeLessThanOrEqual(from + HOUR);
});

test("a run that began long before what is shown, and reaches into it, is there", async () => {
  const [run] = await write("long", 1, 3 * DAY);
  const target = await it.manager.openImport();
  if (run === undefined) throw new Error("no run");
  const { inError: _, ...rest } = run;
  const longer = { ...rest, name: "longer", id: `longer@${run.startDate}` };
  await target.add({ run: { ...longer, status: "completed", endTime: Date.now(), duration: 3 * DAY, inError: false } });
  await target.flush();
  const now = Date.now();
  const { lanes } = await timeline(now - 2 * HOUR, now - HOUR);
  expect(lanes.map(({ name, bars }) => [name, bars.length])).toEqual([
    ["long", 0],
    ["longer", 1],
  ]);
});

test("a timeline of more than 400 days is rejected with what to do", async () => {
  const response = await it.send("GET", `/api/v1/timeline?from=0&to=${401 * DAY}`);
  expect(response.status).toBe(400);
  expect(await response.text()).toContain("at most 400 days");
});

test("a lane marks overdue ticks, and the coming ones that no process runs", async () => {
  const from = Math.floor(Date.now() / MINUTE - 60) * MINUTE;
  await it.scheduler.add("often", { cron: "* * * * *" }, () => {});
  await it.scheduler.close();
  const channel = await it.manager.channel<{ readonly at: number }>("oJobManager-schedules");
  await channel.set(["cursor", "often"], { at: from - 1 });
  const now = Date.now();
  const ticksOf = async (start: number, end: number): Promise<Lane["ticks"]> =>
    (await timeline(start, end)).lanes[0]?.ticks ?? [];
  const [overdue, ...coming] = await ticksOf(now - 2 * HOUR, now + HOUR);
  expect(overdue).toMatchObject({ at: from, outcome: "overdue", until: expect.any(Number), count: expect.any(Number) });
  expect(overdue?.text).toBe("no process has decided on it so far");
  expect(coming.length).toBeGreaterThan(0);
  expect(
    coming.every(({ due, outcome, unattended }) => due > now && outcome === undefined && unattended === true),
  ).toBe(true);
  expect((await ticksOf(now - HOUR / 2, now)).map(({ outcome }) => outcome)).toEqual(["overdue"]);
  expect(await ticksOf(now - 3 * HOUR, now - 2 * HOUR)).toEqual([]);
});

test("the coming ticks reach to the end of what is shown, even of a job that is due each second", async () => {
  await it.scheduler.add("often", { every: 1_000 }, () => {});
  await it.scheduler.pause("often", { reason: "no runs" });
  const now = Date.now();
  const { lanes } = await timeline(now, now + DAY);
  // The scheduler may have decided on the first one by now.
  const coming = (lanes[0]?.ticks ?? []).filter(({ outcome }) => outcome === undefined);
  expect(coming.length).toBeGreaterThan(50);
  expect(coming.length).toBeLessThanOrEqual(102);
  expect(coming.at(-1)?.due).toBeGreaterThan(now + DAY - DAY / 50);
  expect(coming.every(({ skipped }) => skipped === "paused")).toBe(true);
});

test("a lane and the page of a job have the ticks that wait for their run, even while no process runs the schedule", async () => {
  const at = Math.floor(Date.now() / DAY) * DAY;
  await it.scheduler.add("feed", { every: DAY, overlap: "queue" }, () => {});
  await it.scheduler.close();
  const channel = await it.manager.channel<object>("oJobManager-schedules");
  await channel.set(["cursor", "feed"], { at, waiting: [at - DAY, at] });
  const { lanes } = await timeline(at - 2 * DAY, at + 1);
  expect(lanes[0]?.ticks.map(({ at, outcome }) => [at, outcome])).toEqual([
    [at - DAY, "waiting"],
    [at, "waiting"],
  ]);
  const { ticks } = await it.get<JobDetail>("/api/v1/jobs/feed");
  const [tick] = ticks.filter(({ outcome }) => outcome === "waiting");
  expect(tick).toMatchObject({ at, text: "it waits for its run, behind those before it" });
  expect(ticks.filter(({ waiting }) => waiting !== undefined)).toMatchObject([{ due: at + DAY, waiting: 2 }]);
  const many = Array.from({ length: 30 }, (_, i) => at - i * DAY).reverse();
  await channel.set(["cursor", "feed"], { at, waiting: many });
  const { ticks: after } = await it.get<JobDetail>("/api/v1/jobs/feed");
  const first = { at: many[0], until: at, count: 30 };
  expect(after.filter(({ outcome }) => outcome !== undefined)).toMatchObject([first]);
});

test("a lane has what people did in its time, and the last change of its schedule", async () => {
  await it.scheduler.add("mail", { cron: "0 2 * * *" }, () => {});
  await it.manager.run("other", () => {});
  await it.scheduler.pause("mail", { reason: "the mail server moves", author: "ana" });
  const now = Date.now();
  const marks = async (from: number, to: number): Promise<unknown> =>
    (await timeline(from, to)).lanes.map((lane) => [lane.name, lane.marks?.map(({ what, text }) => [what, text])]);
  await expect
    .poll(() => marks(now - HOUR, now + HOUR))
    .toEqual([
      [
        "mail",
        [
          ["new-definition", "its schedule was added or changed"],
          ["pause", "ana: the mail server moves"],
        ],
      ],
      ["other", undefined],
    ]);
  expect(await marks(now - 2 * HOUR, now - HOUR)).toEqual([
    ["mail", undefined],
    ["other", undefined],
  ]);
});
