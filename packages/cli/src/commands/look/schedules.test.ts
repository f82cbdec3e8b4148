import type { JobManager, RunRecord } from "@ojm/core";
import { openScheduler, type Scheduler } from "@ojm/schedule";
import { folderWith } from "@ojm/testing/folder";
import { beforeEach, describe, expect, test } from "vitest";
import { called } from "../../testing/called.js";
import type { Ended } from "../../testing/ojm.js";
import { storeIn } from "../../testing/store.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

let folder: string;
let manager: JobManager;

beforeEach(async () => {
  folder = folderWith({});
  manager = await storeIn(folder);
});

async function out(...words: readonly string[]): Promise<string> {
  const { code, out, err } = await called(folder, [...words, "--store", "sqlite:ojm.db"]);
  expect([code, err]).toEqual([0, ""]);
  return out;
}

const json = async (...words: readonly string[]): Promise<readonly Fields[]> =>
  JSON.parse(await out(...words, "--json")) as readonly Fields[];

interface Fields {
  readonly [field: string]: unknown;
}

/** Sets how far the ticks of a schedule are decided, and which wait, as a dead process would have left it. */
async function setCursor(name: string, cursor: { readonly at: number; readonly waiting?: number[] }): Promise<void> {
  const channel = await manager.channel<object>("oJobManager-schedules");
  await channel.set(["cursor", name], cursor);
}

/** Adds a schedule that no process runs. */
async function leave(name: string, definition: Parameters<Scheduler["add"]>[1]): Promise<void> {
  await using scheduler = openScheduler(manager);
  await scheduler.add(name, definition, () => {});
}

/** The last tick of an interval. */
const last = (every: number): number => Math.floor(Date.now() / every) * every;

describe("ticks that wait for their run", () => {
  test("are in ticks, next and why, even while no process is there", async () => {
    await leave("feed", { every: DAY, overlap: "queue" });
    const at = last(DAY);
    await setCursor("feed", { at, waiting: [at - DAY, at] });
    const ticks = await json("ticks", "feed");
    expect(ticks.filter(({ outcome }) => outcome === "waiting")).toEqual(
      [at, at - DAY].map((time) => ({ schedule: "feed", at: time, outcome: "waiting", text: expect.any(String) })),
    );
    expect(await json("ticks", "feed", "--not-run")).toEqual(ticks);
    expect(await json("ticks", "feed", "--missed")).toEqual([]);
    expect(await out("ticks", "feed")).toMatch(/ waiting +it waits for its run, behind those before it *\n/);
    expect((await json("next", "feed", "-n", "2")).map(({ waiting }) => waiting)).toEqual([2, undefined]);
    expect(await out("next", "feed")).toContain("2 ticks wait before it");
    const text = `2 ticks wait for their run, the first since ${new Date(at - DAY).toISOString()}`;
    expect(await json("why", "feed")).toContainEqual({ code: "waiting", text, help: "ojm ticks feed" });
  });
});

test("ojm ticks names the rate that a tick waits for, even if its last run had none", async () => {
  await manager.run("limited", () => {});
  const rate = { name: "smtp", max: 1, per: DAY } as const;
  await manager.run("other", () => {}, { rate });
  await leave("limited", { every: DAY, rate });
  const at = last(DAY);
  await setCursor("limited", { at, waiting: [at] });
  const text =
    /it waits for its run: one run has begun within 1 d, as many as the rate "smtp" allows: the next may begin in \d+/;
  expect(await json("ticks", "limited")).toContainEqual(expect.objectContaining({ text: expect.stringMatching(text) }));
  const why = (await json("why", "limited")).find(({ code }) => code === "rate");
  expect(why).toMatchObject({ text: expect.stringContaining('as many as the rate "smtp" allows') });
});

describe("a schedule that no program adds any more", () => {
  const rm = (...words: readonly string[]): Promise<Ended> =>
    called(folder, ["schedules", "rm", ...words, "--store", "sqlite:ojm.db"]);

  test("is removed by the command that doctor names, and the audit shows who did it and why", async () => {
    await leave("old name", { every: DAY });
    const before = await called(folder, ["doctor", "--store", "sqlite:ojm.db"]);
    expect(before.code).toBe(1);
    expect(before.out.replace(/\s+/g, " ")).toContain("ojm schedules rm 'old name' --reason …");
    expect(await json("why", "old name")).toContainEqual(
      expect.objectContaining({
        code: "unattended",
        help: expect.stringContaining("ojm schedules rm 'old name' --reason …"),
      }),
    );
    expect(await rm("old name", "--reason", "renamed")).toEqual({
      code: 0,
      out: 'the schedule "old name" is removed\n',
      err: "",
    });
    expect(await json("audit", "old name")).toMatchObject([
      { action: "remove", name: "old name", reason: "renamed", author: expect.stringContaining("@") },
    ]);
    expect((await called(folder, ["doctor", "--store", "sqlite:ojm.db"])).code).toBe(0);
  });

  test("is removed from the processes that have it, which the command counts", async () => {
    await using scheduler = openScheduler(manager);
    await scheduler.add("feed", { every: DAY }, () => {});
    // The scheduler writes its presence after the schedule.
    await expect.poll(async () => (await json("jobs"))[0]).not.toHaveProperty("unattended");
    const { code, out } = await rm("feed", "--reason", "renamed");
    expect([code, out]).toEqual([
      0,
      'the schedule "feed" is removed. 1 process that has it does not run it any more; its program adds it again when it starts\n',
    ]);
    await leave("feed", { every: DAY });
    const text = await called(folder, [
      "schedules",
      "rm",
      "feed",
      "--reason",
      "x",
      "--json",
      "--store",
      "sqlite:ojm.db",
    ]);
    expect(JSON.parse(text.out)).toMatchObject({ name: "feed", removed: true, reason: "x" });
  });

  test("is asked for by its name and with a reason, and nothing is removed otherwise", async () => {
    await leave("feed", { every: DAY });
    expect(await rm("fed", "--reason", "renamed")).toMatchObject({
      code: 3,
      err: expect.stringMatching(/there is no schedule "fed" in this store\. Did you mean "feed"\?/),
    });
    expect(await rm("feed")).toMatchObject({ code: 2, err: expect.stringContaining("needs --reason") });
    expect(await rm()).toMatchObject({ code: 2, err: expect.stringContaining("the name of a schedule") });
    const wrong = await called(folder, ["schedules", "drop", "feed", "--store", "sqlite:ojm.db"]);
    expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining("ojm schedules rm NAME") });
    expect(await json("next")).toHaveLength(1);
  });
});

describe("a schedule that no process runs", () => {
  test.each([
    ["none", "no process runs it now: missed unless a process starts"],
    ["latest", "no process runs it now: run once a process starts, if it is still the newest tick"],
    ["all", "no process runs it now: run once a process starts"],
  ] as const)("has in next what becomes of its ticks (missed: %s)", async (missed, note) => {
    await leave("feed", { every: DAY, missed });
    expect(await out("next", "feed", "-n", "1")).toMatch(new RegExp(` feed +${note}\n$`));
  });

  test("has in why how many of its ticks are overdue, and since when", async () => {
    await leave("feed", { every: DAY });
    const at = last(DAY);
    await setCursor("feed", { at: at - 3 * DAY });
    const [nobody] = await json("why", "feed");
    expect(nobody?.["code"]).toBe("unattended");
    const since = new Date(at - 2 * DAY).toISOString();
    expect(nobody?.["text"]).toBe(`no process runs this schedule; 3 ticks are overdue, since ${since}`);
  });
});

describe("a job that will be skipped", () => {
  const announced = (name: string): Promise<void> =>
    expect.poll(() => out("jobs", name)).not.toContain("no process runs it");

  test("has in jobs why, and when it runs next", async () => {
    await using scheduler = openScheduler(manager);
    const [from, to] = [Date.now() - HOUR, last(HOUR) + 3 * HOUR];
    await scheduler.add("dark", { every: MINUTE, blackout: { from, to } }, () => {});
    await scheduler.add("paused", { every: MINUTE }, () => {});
    await scheduler.add("stopped", { every: MINUTE }, () => {});
    await scheduler.pause("paused", { reason: "a look", until: to });
    await scheduler.pause("stopped", { reason: "a look" });
    await announced("stopped");
    const runs = new Date(to).toISOString();
    const jobs = await out("jobs");
    expect(jobs).toContain(`dark     blackout, runs ${runs}`);
    expect(jobs).toContain(`paused   paused, runs ${runs}`);
    expect(jobs).toMatch(/^stopped +paused {2}/m);
    const text = `and will be skipped: it falls into a blackout. The next one that runs is at ${runs}`;
    expect((await json("why", "dark")).at(-1)?.["text"]).toContain(text);
    expect(await out("next", "stopped")).toMatch(/ will be skipped: paused\n$/);
  });
});

describe("a job that is well", () => {
  test("has first in why that nothing keeps it from running", async () => {
    await manager.run("by-hand", () => {});
    expect((await json("why", "by-hand")).map(({ code }) => code)).toEqual(["ready", "last"]);
  });

  test("has in jobs a streak that is no longer than what was read", async () => {
    for (let i = 0; i < 51; i++) await manager.run("often", () => {});
    await manager.run("once", () => {});
    expect(await out("jobs")).toMatch(/^often .* 50\+ succeeded/m);
    expect(await out("jobs")).toMatch(/^once .* 1 succeeded/m);
  });
});

test("a schedule that only a later version knows is named by next, and hides no other", async () => {
  await leave("later", { every: HOUR });
  await leave("feed", { every: HOUR });
  const channel = await manager.channel<object>("oJobManager-schedules");
  const stored = (await channel.get(["schedule", "later"])) as object;
  await channel.set(["schedule", "later"], { ...stored, definition: { every: HOUR, spread: 5 } });
  const all = await called(folder, ["next", "--store", "sqlite:ojm.db"]);
  expect([all.code, all.out.includes(" feed ")]).toEqual([0, true]);
  expect(all.err).toMatch(/^ojm: the schedule "later" has options that this version of ojm does not know: .*\n$/);
  const one = await called(folder, ["next", "later", "--store", "sqlite:ojm.db"]);
  expect([one.code, one.out, one.err]).toEqual([0, expect.stringContaining("no schedules"), all.err]);
  expect(await out("why", "later")).toContain("its definition has options that this version of ojm does not know");
});

describe("a job that the program starts itself, without a schedule", () => {
  test("has no ticks, and ticks, next and why name what starts it instead of a job of a similar name", async () => {
    await leave("warm-ups", { every: DAY });
    await manager.run("warm-up", () => {}, { trigger: "timeout" });
    const run = (...words: readonly string[]): Promise<Ended> => called(folder, [...words, "--store", "sqlite:ojm.db"]);
    const err =
      'ojm: "warm-up" has no schedule, and so no ticks: the trigger of its last run is "timeout". Its runs: ojm runs warm-up\n';
    expect(await run("ticks", "warm-up")).toEqual({ code: 3, out: "", err });
    expect(await run("next", "warm-up")).toEqual({ code: 3, out: "", err });
    expect(await json("why", "warm-up")).toMatchObject([
      {
        code: "ready",
        text: 'nothing keeps it from running. It has no schedule: the trigger of its last run is "timeout"',
      },
      { code: "last" },
    ]);
  });
});

test("jobs --slower lists the job first that became the slowest since the week before", async () => {
  const target = await manager.openImport();
  const add = async (name: string, days: number, duration: number): Promise<void> => {
    const startTime = Date.now() - days * DAY - HOUR;
    const startDate = new Date(startTime).toISOString();
    const run: RunRecord = {
      ...{ name, startTime, startDate, id: `${name}@${startDate}`, status: "completed" },
      ...{ holder: { host: "h", pid: 1, instance: "i" }, trigger: "schedule", timeout: HOUR, fence: "1" },
      ...{ endTime: startTime + duration, duration, inError: false },
    };
    await target.add({ run });
  };
  for (let day = 13; day >= 0; day--) {
    await add("a steady one", day, MINUTE);
    await add("slower", day, day < 7 ? 3 * MINUTE : MINUTE);
  }
  await target.flush();
  expect((await json("jobs", "--slower")).map(({ name, trend }) => [name, trend])).toEqual([
    ["slower", { week: 3 * MINUTE, before: MINUTE }],
    ["a steady one", { week: MINUTE, before: MINUTE }],
  ]);
  expect(await out("jobs", "--slower")).toMatch(/^slower .* 3\.0x +3 min +1 min /m);
});
