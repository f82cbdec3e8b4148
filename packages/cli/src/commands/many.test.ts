import type { JobManager, Run } from "@ojm/core";
import { openScheduler, type Scheduler } from "@ojm/schedule";
import { folderWith } from "@ojm/testing/folder";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { called } from "../testing/called.js";
import type { Ended } from "../testing/ojm.js";
import { storeIn } from "../testing/store.js";

/* One command for several names: by a pattern, or by naming each. */

const HOUR = 3_600_000;
const NAMES = ["billing/daily", "billing/hourly", "report"];
const REASON = ["--reason", "the bank is closed"];

let folder: string;
let manager: JobManager;
let scheduler: Scheduler;

beforeEach(async () => {
  folder = folderWith({});
  manager = await storeIn(folder);
  scheduler = openScheduler(manager);
  onTestFinished(() => scheduler.close());
  for (const name of NAMES) await scheduler.add(name, { every: HOUR }, () => {});
});

const call = (...words: readonly string[]): Promise<Ended> => called(folder, [...words, "--store", "sqlite:ojm.db"]);

async function paused(): Promise<string[]> {
  const names: string[] = [];
  for await (const one of scheduler.schedules()) if (one.paused !== undefined) names.push(one.name);
  return names;
}

async function actions(): Promise<string[]> {
  const all: string[] = [];
  for await (const { action, name, reason } of manager.audit()) all.push(`${action} ${name} ${reason ?? ""}`.trim());
  return all.sort();
}

describe("schedules", () => {
  test("pause and resume take a pattern, and say what they did to each name", async () => {
    const dry = await call("pause", "billing/*", "--dry-run");
    expect([dry.code, dry.err]).toEqual([0, ""]);
    expect(dry.out.split("\n").slice(0, 3)).toEqual([
      'would pause the schedule "billing/daily": its ticks are skipped.',
      'would pause the schedule "billing/hourly": its ticks are skipped.',
      "2 names. Nothing was done: --dry-run",
    ]);
    expect(await call("pause", "billing/*")).toMatchObject({ code: 2, err: expect.stringContaining("needs --reason") });
    expect([await paused(), await actions()]).toEqual([[], []]);
    const done = await call("pause", "billing/*", ...REASON);
    expect([done.code, done.out.split("\n")]).toEqual([
      0,
      [
        'the schedule "billing/daily" is paused: its ticks are skipped.',
        'the schedule "billing/hourly" is paused: its ticks are skipped.',
        "2 names",
        "To end these pauses: ojm resume 'billing/*'",
        "",
      ],
    ]);
    expect(await paused()).toEqual(["billing/daily", "billing/hourly"]);
    expect((await call("pause", "*", "--dry-run")).out).toMatch(
      /"billing\/daily": its ticks are skipped\. It was paused by .* \(the bank is closed\): that pause is replaced/,
    );
    const shown = JSON.parse((await call("resume", "*", "--dry-run", "--json")).out) as object[];
    expect(shown).toMatchObject(NAMES.map((name) => ({ name, dryRun: true, wasPaused: name !== "report" })));
    expect((await call("resume", "*")).code).toBe(0);
    expect(await paused()).toEqual([]);
    expect(await actions()).toEqual([
      "pause billing/daily the bank is closed",
      "pause billing/hourly the bank is closed",
      "resume billing/daily",
      "resume billing/hourly",
    ]);
  });

  test("a name that fails does not keep the others from it, and its exit code is that of the command", async () => {
    const { code, out, err } = await call("pause", "report", "reprt", "billing/*", ...REASON);
    expect([code, err]).toEqual([3, 'ojm: reprt: there is no schedule "reprt" in this store\n']);
    expect(out).toMatch(
      /\n4 names, 1 of them with an error\nTo end these pauses: ojm resume report reprt 'billing\/\*'\n$/,
    );
    expect(await paused()).toEqual(NAMES);
    const lines = (await call("pause", "reprt", "billing/*", ...REASON, "--jsonl")).out.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { name: "reprt", error: { code: "notFound", exit: 3 } },
      { name: "billing/daily", paused: true },
      { name: "billing/hourly", paused: true },
    ]);
  });

  test("a pattern without a name is rejected before the reason is required", async () => {
    for (const command of ["pause", "resume", "run-now", "cancel", "hold"])
      expect([command, await call(command, "crm/*")]).toMatchObject([
        command,
        { code: 3, out: "", err: `ojm: no name that ojm ${command} could act on matches "crm/*": nothing was done\n` },
      ]);
  });

  test("run-now starts each, with the same parameters", async () => {
    // The scheduler lists its schedules a moment after it has added them.
    const dry = async (): Promise<string> => (await call("run-now", "billing/*", "--dry-run")).out;
    await expect
      .poll(dry)
      .toBe(
        'would start a run of "billing/daily"\nwould start a run of "billing/hourly"\n2 names. Nothing was done: --dry-run\n',
      );
    expect((await call("run-now", "nothing", "--dry-run")).code).toBe(3);
    const { code, out } = await call("run-now", "billing/*", "day=5", ...REASON, "--jsonl");
    expect(code).toBe(0);
    const runs = out.trim().split("\n");
    expect(runs.map((line) => JSON.parse(line) as object)).toMatchObject([
      { run: expect.stringMatching(/^billing\/daily@/) },
      { run: expect.stringMatching(/^billing\/hourly@/) },
    ]);
    for await (const record of manager.history()) expect(record).toMatchObject({ args: { day: 5 } });
  });
});

describe("runs", () => {
  const start = async (name: string): Promise<Run> => {
    const run = await manager.start(name);
    run.signal.addEventListener("abort", () => void run.cancel());
    return run;
  };

  test("cancel ends the active runs and the retry series of a pattern, and no others", async () => {
    const runs = await Promise.all(["billing/daily", "billing/hourly", "report"].map(start));
    const series = manager.run("billing/late", () => Promise.reject(new Error("no orders")), {
      retry: { attempts: 3, delay: HOUR },
    });
    series.catch(() => {});
    await expect.poll(async () => (await manager.retries()).length).toBe(1);
    const dry = await call("cancel", "billing/*", "--dry-run");
    expect(dry.out.replace(/@\S+ on .*|due .*/g, "…")).toBe(
      'would cancel billing/daily…\nwould cancel billing/hourly…\nwould cancel attempt 2 of 3 of "billing/late", …\n3 names. Nothing was done: --dry-run\n',
    );
    expect(runs.map(({ signal }) => signal.aborted)).toEqual([false, false, false]);
    expect((await call("cancel", "billing/*", ...REASON)).code).toBe(0);
    expect(runs.map(({ signal }) => signal.aborted)).toEqual([true, true, false]);
    expect(await manager.retries()).toEqual([]);
    await runs[2]?.end();
  });

  test("hold and its end take a pattern", async () => {
    for (const name of NAMES) await manager.run(name, () => {});
    const busy = await manager.start("billing/hourly");
    expect((await call("hold", "billing/*", "--dry-run")).out).toMatch(
      /^would prevent all runs of "billing\/daily" until \S+Z\nwould prevent all runs of "billing\/hourly" until \S+Z, once its lock is free\..*\n2 names\. Nothing/,
    );
    const some = await call("hold", "billing/*", ...REASON);
    expect(some.out).toMatch(/^"billing\/daily" is held until \S+Z\n2 names, .*\nTo end these holds sooner: .*\n$/);
    expect(some.out).toContain("ojm hold 'billing/*' --end --reason …\n");
    expect([some.code, some.err]).toEqual([75, expect.stringMatching(/^ojm: billing\/hourly: .*--wait 10m\n$/)]);
    await busy.end();
    expect((await call("hold", "billing/*", ...REASON, "--until", "1h")).code).toBe(75);
    expect((await manager.heldLocks()).map(({ name }) => name).sort()).toEqual(["billing/daily", "billing/hourly"]);
    expect((await call("hold", "*", "--end", "--dry-run")).out).toMatch(/^would take "billing\/daily" .*\nwould take /);
    expect((await call("hold", "*", "--end", "--reason", "it is open")).code).toBe(0);
    expect(await manager.heldLocks()).toEqual([]);
  });
});

test("a store that goes away ends the command, and does not look like an error of each name", async () => {
  const away = await called(folder, ["pause", "*", ...REASON, "--store", "redis://127.0.0.1:1"]);
  expect([away.code, away.out]).toEqual([5, ""]);
  expect(away.err.trim().split("\n").length).toBeLessThanOrEqual(2);
});

describe("a maintenance", () => {
  const maintenance = (...words: readonly string[]): Promise<Ended> => {
    const [first = "", ...rest] = words;
    return call("maintenance", first, ...rest);
  };

  test("is started, shown and ended, and no tick begins meanwhile", async () => {
    const ran: string[] = [];
    await scheduler.add("each-second", { every: 1_000, missed: "none" }, () => void ran.push("run"));
    const dry = await maintenance("on", "--dry-run");
    expect(dry).toMatchObject({
      code: 0,
      out: expect.stringMatching(
        /^would start maintenance of 4 schedules, billing\/daily, billing\/hourly, each-second, report\. /,
      ),
    });
    expect(await maintenance("on")).toMatchObject({ code: 2, err: expect.stringContaining("needs --reason") });
    expect(await maintenance("status")).toMatchObject({ code: 0, out: "no maintenance\n" });
    const on = await maintenance("on", ...REASON, "--until", "1h");
    expect([on.code, on.out]).toEqual([
      0,
      expect.stringMatching(
        /^no tick and no item begins until \S+Z: maintenance of 4 schedules, .* To end it: ojm maintenance off\n$/,
      ),
    ]);
    const before = ran.length;
    const ticks = async (): Promise<boolean> => (await call("why", "each-second")).out.includes("maintenance by ");
    expect(await ticks()).toBe(true);
    expect((await maintenance("status")).out).toMatch(/\* .* 0 +\S+@\S+ +the bank is closed\n$/);
    expect((await call("doctor")).out).toMatch(/warning +maintenance +maintenance by \S+ until .*the bank is closed/);
    expect((await call("next", "report")).out).toContain("will wait: maintenance");
    // A second tick would have been due by now.
    const at = Date.now();
    await expect.poll(() => Date.now() - at).toBeGreaterThan(2_200);
    expect(ran.length).toBe(before);
    const off = await maintenance("off", "--reason", "it is open");
    expect([off.code, off.out]).toEqual([
      0,
      expect.stringMatching(/^ended the maintenance by .*\nLate ticks are decided now/),
    ]);
    await expect.poll(() => ran.length).toBeGreaterThan(before);
    expect(await maintenance("off")).toMatchObject({ code: 3, err: "ojm: no maintenance\n" });
    expect((await actions()).filter((one) => one.includes("maintenance"))).toEqual([
      "end-maintenance * it is open",
      "maintenance * the bank is closed",
    ]);
  });

  test("of a pattern leaves others alone, and cancels the runs in progress if that is requested", async () => {
    expect(await maintenance("on", "crm", ...REASON)).toMatchObject({
      code: 3,
      err: 'ojm: no schedule and no queue has the name "crm": nothing was done\n',
    });
    const run = await manager.start("billing/daily");
    run.signal.addEventListener("abort", () => void run.cancel());
    const on = await maintenance("on", "billing/*", ...REASON, "--cancel", "--json");
    expect(JSON.parse(on.out)).toMatchObject({ names: "billing/*", stopped: [run.id] });
    await expect.poll(() => run.signal.aborted).toBe(true);
    expect((await call("next", "report")).out).not.toContain("maintenance");
    const off = JSON.parse((await maintenance("off", "billing/*", "--json")).out);
    expect(off).toMatchObject({ ended: [{ names: "billing/*" }] });
  });

  test("of a pattern that matches nothing now covers what comes later, and says so", async () => {
    expect(await maintenance("on", "crm/*", ...REASON)).toMatchObject({
      code: 0,
      out: expect.stringContaining(
        '"crm/*", which matches no schedule and no queue now: it covers those that come later',
      ),
    });
    await scheduler.add("crm/sync", { every: "1h" }, () => {});
    expect((await call("next", "crm/sync")).out).toContain("will wait: maintenance");
  });
});
