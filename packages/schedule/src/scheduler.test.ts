import { spawnSync } from "node:child_process";
import type { Run } from "@ojm/core";
import { processIdentity } from "@ojm/core/internal";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { collect } from "../../core/src/testing/settle.js";
import { whyBackfilled, whyNotRun } from "./decide/outcomes.js";
import type { Overlap, ScheduleDefinition } from "./definition/types.js";
import { openScheduler, type SchedulerOptions } from "./scheduler.js";
import { type MemberValue, memberKey, memberPartKey, type SchedulesValue } from "./store/schema.js";
import { type SchedulerOf, World } from "./testing/world.js";

const MINUTE = 60_000;

/** The pid of a process that has just ended. */
const DEAD = spawnSync(process.execPath, ["--version"]).pid;

let world: World;
beforeEach(() => {
  world = new World("2030-01-01T00:00:30Z");
});

describe("a scheduler", () => {
  it("runs a job at each of its ticks, and stores their outcomes", async () => {
    const one = await world.scheduler("one");
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    await world.until("00:03:30");
    expect(one.ran).toEqual(["00:01:00", "00:02:00", "00:03:00"]);
    expect(await world.ticks(one)).toEqual(["00:01:00 run by one", "00:02:00 run by one", "00:03:00 run by one"]);
    const [first] = await world.records(one);
    expect(first).toMatchObject({ status: "completed", trigger: "schedule", schedule: "a", delay: 0 });
    await world.close();
    expect(world.clock.pending).toBe(0);
  });

  it("reports the outcome of each tick to its owner, and the records say why its runs began", async () => {
    const one = await world.scheduler("one");
    const told: string[] = [];
    const onTick: SchedulerOptions["onTick"] = ({ schedule, at, outcome, reason }) =>
      void told.push([schedule, world.time(at), outcome, reason].join(" "));
    const scheduler = openScheduler(one.manager, { clock: world.clock, onTick });
    await world.clock.until(scheduler.add("a", { every: MINUTE }, one.body(1.5 * MINUTE), { trigger: "cron" }));
    await world.until("00:03:30");
    expect(told).toEqual(["a 00:01:00 run ", "a 00:02:00 skipped overlap", "a 00:03:00 run "]);
    expect((await world.records(one)).map(({ trigger }) => trigger)).toEqual(["cron", "cron"]);
    await world.clock.until(scheduler.close());
    await world.close();
  });

  it("decides the ticks of processes of its host that were killed", async () => {
    const one = await world.scheduler("one");
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    const channel = await one.manager.channel<SchedulesValue>("oJobManager-schedules");
    await world.clock.advance(1_000);
    const own = [memberPartKey("one", 0), memberKey("one")];
    const [part, member] = await world.clock.until(Promise.all(own.map((key) => channel.get(key))));
    const { by } = member as MemberValue;
    const killed = { ...processIdentity(), pid: DEAD, started: "1" };
    // Enough that two of them come before it. They would be listed for a day.
    for (let i = 0; i < 20; i++) {
      const [instance, ttl] = [`killed-${i}`, { ttl: 24 * 60 * MINUTE }];
      await world.clock.until(channel.set(memberPartKey(instance, 0), part as SchedulesValue, ttl));
      const dead = { by: { ...by, pid: DEAD, instance }, parts: 1, process: killed };
      await world.clock.until(channel.set(memberKey(instance), dead, ttl));
    }
    await world.until("00:02:30");
    expect(await world.ticks(one)).toEqual(["00:01:00 run by one", "00:02:00 run by one"]);
    await world.close();
  });

  it("says once that its store is away for longer than ten seconds, and once that it is back", async () => {
    const warned: string[] = [];
    const onWarning = ({ message }: Error): void => void warned.push(message);
    process.on("warning", onWarning);
    onTestFinished(() => void process.off("warning", onWarning));
    const one = await world.scheduler("one");
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    const away = async (ms: number): Promise<void> => {
      one.way.fault = () => ({ type: "refused" });
      await world.clock.advance(ms);
      one.way.fault = () => undefined;
      await world.clock.advance(MINUTE);
    };
    await away(8_000);
    expect(warned).toEqual([]);
    await away(10 * MINUTE);
    expect(warned).toEqual([
      expect.stringMatching(/^the store has not answered for 1\d s: schedules wait for it\. the store is away/),
      expect.stringMatching(/^the store answers again, after 10 min.*: schedules continue$/),
    ]);
    await world.close();
  });

  it("continues after a run that was cancelled before its body began, which is not an error of the scheduler", async () => {
    const warnings: unknown[] = [];
    const warned = (warning: unknown): void => void warnings.push(warning);
    process.on("warning", warned);
    onTestFinished(() => void process.off("warning", warned));
    const one = await world.scheduler("one");
    const run = one.manager.run.bind(one.manager);
    let isFirst = true;
    // Like a cancel between the commit that starts the run and its body.
    one.manager.run = async (name, body, options) => {
      if (!isFirst) return run(name, body, options);
      isFirst = false;
      const begun = await one.manager.start(name, options);
      await begun.cancel("wrong month");
      throw begun.signal.reason;
    };
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    await world.until("00:03:30");
    expect(await world.ticks(one)).toEqual(["00:01:00 run by one", "00:02:00 run by one", "00:03:00 run by one"]);
    expect(one.ran).toEqual(["00:02:00", "00:03:00"]);
    expect(warnings).toEqual([]);
  });

  it("runs each tick once, however many processes add the schedule, and another one when the first is closed", async () => {
    const all = await Promise.all(["one", "two", "three"].map((name) => world.scheduler(name)));
    for (const { scheduler, body } of all) await world.clock.until(scheduler.add("a", { every: MINUTE }, body()));
    await world.until("00:03:30");
    expect(world.ran).toHaveLength(3);
    const [owner] = new Set(world.ran.map((line) => line.slice(9)));
    const first = all.find(({ name }) => name === owner);
    await world.clock.until(first?.scheduler.close() ?? Promise.resolve());
    await world.until("00:05:30");
    expect(world.ran).toHaveLength(5);
    expect(world.ran.slice(3).join()).not.toContain(` ${owner}`);
  });

  it("runs the ticks of a process that died, the next one by the second of the members within a second", async () => {
    const all = await Promise.all(["one", "two", "three"].map((name) => world.scheduler(name)));
    for (const { scheduler, body } of all) await world.clock.until(scheduler.add("a", { every: MINUTE }, body()));
    await world.until("00:01:30");
    const [owner] = world.ran.map((line) => line.slice(9));
    const first = all.find(({ name }) => name === owner);
    if (first !== undefined) world.kill(first);
    await world.until("00:01:59");
    await world.until("00:04:30");
    expect(world.ran.map((line) => line.slice(0, 8))).toEqual(["00:01:00", "00:02:00", "00:03:00", "00:04:00"]);
  });
});

describe("a tick that is due while the job runs", () => {
  it.each<[Overlap, string[]]>([
    ["skip", ["00:01:00 run by one", "00:02:00 skipped overlap", "00:03:00 run by one"]],
    ["queue", ["00:01:00 run by one", "00:02:00 run by one", "00:03:00 run by one"]],
  ])("with overlap %s", async (overlap, expected) => {
    const one = await world.scheduler("one");
    let runs = 0;
    const body = (run: Run): unknown => (runs++ === 0 ? one.body(1.5 * MINUTE)(run) : one.body()(run));
    await world.clock.until(one.scheduler.add("a", { every: MINUTE, overlap }, body));
    await world.until("00:02:10");
    await world.until("00:03:30");
    expect(await world.ticks(one)).toEqual(expected);
    if (overlap === "queue") expect(one.ran[1]).toBe("00:02:30");
  });

  it("a tick without a free permit waits for one, and the ticks that are due meanwhile are skipped", async () => {
    const [one, two] = [await world.scheduler("one"), await world.scheduler("two")];
    const slow = await world.clock.until(two.manager.start("slow", { permits: { api: 1 } }));
    const definition = { every: MINUTE, permits: { api: 1 }, lock: "reports" };
    await world.clock.until(one.scheduler.add("a", definition, one.body()));
    await world.until("00:02:30");
    expect(one.ran).toEqual([]);
    await world.clock.until(slow.end());
    await world.until("00:03:30");
    expect(one.ran).toEqual(["00:02:30", "00:03:00"]);
    expect(await world.ticks(one)).toEqual(["00:01:00 run by one", "00:02:00 skipped overlap", "00:03:00 run by one"]);
    expect(await world.records(one)).toMatchObject(Array(2).fill({ lock: "reports", permits: { api: 1 } }));
    await world.close();
  });

  it("a tick whose rate is used up waits, and keeps its place for longer than an hour", async () => {
    const [one, two] = [await world.scheduler("one"), await world.scheduler("two")];
    const rate = { name: "api", max: 1, per: "100m" };
    await world.clock.until(two.manager.run("before", () => {}, { rate }));
    await world.clock.until(one.scheduler.add("a", { every: "2m", rate }, one.body()));
    await world.until("00:03:00");
    // It arrived later.
    const later = two.manager.run("later", () => {}, { rate, permitWait: "1d" });
    await world.until("01:39:00");
    expect(one.ran).toEqual([]);
    expect((await one.manager.why("later")).map(({ code }) => code)).toContain("rate");
    await world.until("01:41:00");
    expect(one.ran).toHaveLength(1);
    await world.clock.until(later, 110 * MINUTE);
    await world.close();
  });

  it("with overlap replace cancels the older run, in any process, and runs when that has ended", async () => {
    const [one, two] = [await world.scheduler("one"), await world.scheduler("two")];
    const slow = (run: Run): unknown => {
      one.ran.push(world.time());
      // It takes a while to stop, and another tick comes meanwhile.
      return new Promise<void>((resolve) => {
        run.signal.addEventListener("abort", () => world.clock.after(1.5 * MINUTE, resolve));
      });
    };
    const definition: ScheduleDefinition = { every: MINUTE, overlap: "replace" };
    await world.clock.until(one.scheduler.add("a", definition, slow));
    await world.until("00:01:30");
    await world.clock.until(one.scheduler.stop());
    await world.clock.until(two.scheduler.add("a", definition, two.body()));
    await world.until("00:02:01");
    await world.until("00:04:30");
    expect(await world.ticks(two)).toEqual([
      "00:01:00 run by one",
      "00:02:00 skipped replaced",
      "00:03:00 run by two",
      "00:04:00 run by two",
    ]);
    expect(two.ran).toEqual(["00:03:30", "00:04:00"]);
    const [record] = await world.records(two);
    expect(record).toMatchObject({
      status: "cancelled",
      endedBy: { action: "cancel", reason: "replaced by its tick of 2030-01-01T00:02:00.000Z" },
    });
    // The audit has the actions of people: such ticks would hide them.
    expect(await world.clock.until(collect(two.manager.audit()))).toEqual([]);
  });

  it("has the holder of the lock as evidence, if it is skipped", async () => {
    const [one, two] = [await world.scheduler("one"), await world.scheduler("two")];
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    const run = await world.clock.until(two.manager.start("a"));
    await world.until("00:01:10");
    const [tick] = await world.clock.until(collect(one.scheduler.ticks("a")));
    expect(tick).toMatchObject({
      outcome: "skipped",
      reason: "overlap",
      evidence: { holder: { pid: process.pid }, fence: run.fence, run: run.id },
    });
    expect(tick && whyNotRun(tick)).toMatch(`the job was running, as ${run.id} on `);
  });
});

describe("the ticks during a hold", () => {
  const outcomes: Readonly<Record<Overlap, readonly string[]>> = {
    skip: ["00:01:00 skipped overlap", "00:02:00 skipped overlap", "00:03:00 skipped overlap", "00:04:00 run by one"],
    queue: ["00:01:00 run by one", "00:02:00 run by one", "00:03:00 run by one", "00:04:00 run by one"],
    replace: ["00:01:00 skipped replaced", "00:02:00 skipped replaced", "00:03:00 run by one", "00:04:00 run by one"],
  };

  it.each(Object.entries(outcomes))(
    "with overlap: %s, have the outcomes that On call names",
    async (overlap, expected) => {
      const one = await world.scheduler("one");
      const until = world.clock.now() + 3 * MINUTE;
      await world.clock.until(one.manager.hold("a", { reason: "the schema changes", author: "ana", until }));
      await world.clock.until(one.scheduler.add("a", { every: MINUTE, overlap: overlap as Overlap }, one.body()));
      await world.until("00:04:30");
      expect(await world.ticks(one)).toEqual(expected);
      expect(one.ran.every((time) => time >= "00:03:20")).toBe(true);
      const ticks = await world.clock.until(collect(one.scheduler.ticks("a", { unrun: true })));
      const whys = ticks.filter(({ reason }) => reason === "overlap").map(whyNotRun);
      expect(whys).toEqual(overlap === "skip" ? Array(3).fill("the job was held by ana: the schema changes") : []);
    },
  );
});

describe("a run that is tried again", () => {
  const definition: ScheduleDefinition = {
    every: 10 * MINUTE,
    retry: { attempts: 3, delay: MINUTE, backoff: "fixed", onLost: true },
  };

  it("has attempts of the same tick, and the next ticks come meanwhile", async () => {
    const one = await world.scheduler("one");
    const fails = (run: Run): void => {
      one.ran.push(`${world.time()} ${run.attempt}`);
      if (run.attempt < 3) throw new Error("no");
    };
    await world.clock.until(one.scheduler.add("a", definition, fails));
    await world.until("00:15:00");
    expect(one.ran).toEqual(["00:10:00 1", "00:11:00 2", "00:12:00 3"]);
    const records = await world.records(one);
    expect(new Set(records.map(({ tick }) => tick)).size).toBe(1);
    expect(await world.ticks(one)).toEqual(["00:10:00 run by one"]);
  });

  it("has its next attempt in another process, if its own dies before it, or in it", async () => {
    const all = [await world.scheduler("one"), await world.scheduler("two"), await world.scheduler("three")];
    const ran: string[] = [];
    for (const one of all) {
      const body = async (run: Run): Promise<void> => {
        ran.push(`${world.time()} ${run.attempt} ${one.name}`);
        if (run.attempt === 1) throw new Error("no");
        if (run.attempt === 2) await new Promise(() => {});
      };
      await world.clock.until(one.scheduler.add("a", definition, body));
    }
    const killLast = (): void => {
      const last = all.find(({ name }) => ran.at(-1)?.endsWith(` ${name}`));
      if (last !== undefined) world.kill(last);
    };
    await world.until("00:10:30");
    expect(ran).toHaveLength(1);
    killLast();
    await world.until("00:12:00");
    expect(ran).toHaveLength(2);
    killLast();
    await world.until("00:19:00");
    expect(ran.map((line) => line.slice(9, 10))).toEqual(["1", "2", "3"]);
    expect(new Set(ran.map((line) => line.slice(11))).size).toBe(3);
    expect(ran.slice(1).map((line) => line.slice(0, 5))).toEqual(["00:11", "00:13"]);
  });
});

describe("a run whose process was killed", () => {
  const retry = { attempts: 3, delay: 1_000, backoff: "fixed", onLost: true } as const;

  it("is tried again by another process as soon as its record is closed, though the killed one counts as there", async () => {
    const all = [await world.scheduler("one", { ttl: 3_000 }), await world.scheduler("two", { ttl: 3_000 })];
    const ran: string[] = [];
    for (const one of all) {
      const body = (run: Run): Promise<void> => {
        ran.push(`${run.attempt} ${one.name}`);
        return run.attempt === 1 ? new Promise(() => {}) : Promise.resolve();
      };
      await world.clock.until(one.scheduler.add("a", { every: 10 * MINUTE, retry }, body));
    }
    await world.until("00:10:01");
    const [killed] = all.filter(({ name }) => ran[0] === `1 ${name}`);
    const [other] = all.filter(({ name }) => ran[0] !== `1 ${name}`);
    world.kill(killed as SchedulerOf);
    // Its session is over after 3 s, and found soon after; it counts as living until 00:10:16 at least.
    await world.until("00:10:11");
    expect(ran).toEqual([`1 ${killed?.name}`, `2 ${other?.name}`]);
  });
});

describe("ticks that no process was there for", () => {
  it("have one outcome each, if the process dies that decides on many, and the next one has another policy", async () => {
    const one = await world.scheduler("one");
    const many = (max: number): ScheduleDefinition => ({
      every: MINUTE,
      overlap: "queue",
      missed: { run: "all", max },
    });
    const HOURS = 600 * MINUTE;
    await world.clock.until(one.scheduler.add("a", many(100), one.body(HOURS)));
    // A hundred ticks wait. Then there is no process for an hour.
    await world.until("01:50:30");
    await world.clock.until(one.scheduler.close());
    await world.until("02:50:30");
    const two = await world.scheduler("two");
    let parts = 0;
    two.way.fault = (call) => {
      const decides =
        call.kind === "commit" && call.commit.writes.filter(({ key }) => key.includes('["tick "')).length > 2;
      return decides && ++parts > 1 ? { type: "request lost" } : undefined;
    };
    await world.clock.until(two.scheduler.add("a", many(100), two.body(HOURS)));
    await world.until("02:50:31");
    expect(parts).toBe(2);
    world.kill(two);
    const three = await world.scheduler("three");
    await world.clock.until(three.scheduler.add("a", many(3), three.body()));
    await world.until("02:53:30");
    const told = new Map<number, number>();
    for (const { at, until = at } of await world.clock.until(collect(three.scheduler.ticks("a")))) {
      for (let tick = at; tick <= until; tick += MINUTE) told.set(tick, (told.get(tick) ?? 0) + 1);
    }
    const minutes = Array.from({ length: 173 }, (_, i) => Date.parse("2030-01-01T00:01:00Z") + i * MINUTE);
    expect(minutes.filter((tick) => told.get(tick) !== 1).map((tick) => world.time(tick))).toEqual([]);
  });

  it.each<[ScheduleDefinition["missed"], string[]]>([
    ["none", ["00:02:00-00:04:00 (3) missed policy", "00:05:00 run by two"]],
    ["latest", ["00:02:00-00:04:00 (3) missed not-latest", "00:05:00 run by two"]],
    ["all", ["00:02:00 run by two", "00:03:00 run by two", "00:04:00 run by two", "00:05:00 run by two"]],
  ])("with missed %s", async (missed = "latest", expected) => {
    const one = await world.scheduler("one");
    await world.clock.until(one.scheduler.add("a", { every: MINUTE, missed }, one.body()));
    await world.until("00:01:30");
    await world.clock.until(one.scheduler.close());
    await world.until("00:05:30");
    const two = await world.scheduler("two");
    await world.clock.until(two.scheduler.add("a", { every: MINUTE, missed }, two.body()));
    await world.until("00:05:40");
    expect((await world.ticks(two)).slice(1)).toEqual(expected);
    const last = (await world.records(two)).at(-1);
    expect(last?.delay).toBeGreaterThanOrEqual(30_000);
  });

  it("a process that was suspended runs the newest of them, and reports the others", async () => {
    const one = await world.scheduler("one");
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    world.clock.block(4 * MINUTE);
    await world.until("00:05:00");
    expect(await world.ticks(one)).toEqual([
      "00:01:00-00:03:00 (3) missed not-latest",
      "00:04:00 run by one",
      "00:05:00 run by one",
    ]);
  });
});

describe("a paused schedule", () => {
  it("runs nothing, whichever process pauses it, and its ticks say why", async () => {
    const [one, two] = [await world.scheduler("one"), await world.scheduler("two")];
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    await world.until("00:01:30");
    await world.clock.until(two.scheduler.pause("a", { reason: "disk full", author: "ana" }));
    await world.until("00:03:30");
    expect(await world.clock.until(two.scheduler.resume("a"))).toBe(true);
    expect(await world.clock.until(two.scheduler.resume("a"))).toBe(false);
    await world.until("00:04:30");
    expect(await world.ticks(one)).toEqual([
      "00:01:00 run by one",
      "00:02:00 skipped paused",
      "00:03:00 skipped paused",
      "00:04:00 run by one",
    ]);
    const [, tick] = await world.clock.until(collect(one.scheduler.ticks("a")));
    expect(tick?.evidence).toMatchObject({ reason: "disk full", by: "ana" });
  });

  it("continues by itself at its time", async () => {
    const one = await world.scheduler("one");
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    await world.clock.until(one.scheduler.pause("a", { reason: "move", until: "2030-01-01T00:02:30Z" }));
    expect(await world.clock.until(one.scheduler.next("a", { limit: 3 }))).toMatchObject([
      { skipped: "paused" },
      { skipped: "paused" },
      {},
    ]);
    await world.until("00:03:30");
    expect(one.ran).toEqual(["00:03:00"]);
    // The pause is over, so it is not a pause any more. A pause that is over before it begins would replace
    // an active one.
    const [summary] = await world.clock.until(collect(one.scheduler.schedules()));
    expect(summary?.paused).toBeUndefined();
    const over = world.clock.until(one.scheduler.pause("a", { reason: "move", until: "2030-01-01T00:02:30Z" }));
    await expect(over).rejects.toMatchObject({ code: "INVALID", setting: "until" });
  });

  it("that was resumed while no process was there has the outcome of all its ticks", async () => {
    const [one, two] = [await world.scheduler("one"), await world.scheduler("two")];
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    await world.clock.until(two.scheduler.pause("a", { reason: "move" }));
    await world.clock.until(one.scheduler.close());
    await world.until("00:03:30");
    await world.clock.until(two.scheduler.resume("a"));
    expect(await world.ticks(two)).toEqual(["00:01:00-00:03:00 (3) skipped paused"]);
  });

  it("pauses by itself after so many runs in error, and not again at once when it is resumed", async () => {
    const one = await world.scheduler("one");
    const fails = (run: Run): never => {
      one.ran.push(run.id);
      throw new Error(`no disk, ${one.ran.length}`);
    };
    // A skipped run between them is neither a failure nor a success.
    let calls = 0;
    const skipsOnce = (run: Run): unknown => (++calls === 2 ? run.skip("nothing to do") : fails(run));
    await world.clock.until(one.scheduler.add("a", { every: MINUTE, pauseAfter: 2 }, skipsOnce));
    await world.until("00:04:30");
    expect(one.ran).toHaveLength(2);
    const [tick] = await world.clock.until(collect(one.scheduler.ticks("a")));
    // The last failure is reported: the first may have had another cause.
    const reason = `2 runs, one after the other, ended in error: the last: no disk, 2 (${one.ran[1]})`;
    expect(tick?.evidence).toMatchObject({ by: "pauseAfter", reason });
    await world.clock.until(one.scheduler.resume("a"));
    await world.until("00:07:30");
    expect(one.ran).toHaveLength(4);
  });

  it("counts a tick that is tried again once, and not each of its attempts", async () => {
    const one = await world.scheduler("one");
    const fails = (run: Run): never => {
      one.ran.push(run.id);
      throw new Error("no disk");
    };
    const retry = { attempts: 2, delay: 1_000 };
    await world.clock.until(one.scheduler.add("a", { every: MINUTE, pauseAfter: 2, retry }, fails));
    await world.until("00:05:30");
    expect(one.ran).toHaveLength(4);
    expect((await world.ticks(one)).slice(0, 3)).toEqual([
      "00:01:00 run by one",
      "00:02:00 run by one",
      "00:03:00 skipped paused",
    ]);
  });

  it("counts no run that was ended on request, and none of those ends a row of failures", async () => {
    const one = await world.scheduler("one");
    const cancelled = new Set([1, 3, 4]);
    const body = async (run: Run): Promise<never> => {
      one.ran.push(run.id);
      if (cancelled.has(one.ran.length)) await run.cancel("a deploy");
      throw new Error("no disk");
    };
    await world.clock.until(one.scheduler.add("a", { every: MINUTE, pauseAfter: 2 }, body));
    await world.until("00:10:30");
    expect(one.ran).toHaveLength(5);
    const [tick] = await world.clock.until(collect(one.scheduler.ticks("a")));
    expect(tick?.evidence).toMatchObject({ by: "pauseAfter", reason: expect.stringContaining("2 runs") });
  });
});

describe("a new definition", () => {
  it("replaces the older one: its process runs no further tick, and takes over if the newer one is rolled back", async () => {
    const warned: string[] = [];
    const onWarning = ({ message }: Error): void => void warned.push(message);
    process.on("warning", onWarning);
    const [old, young] = [await world.scheduler("old"), await world.scheduler("young")];
    await world.clock.until(old.scheduler.add("a", { every: MINUTE }, old.body()));
    await world.until("00:01:30");
    await world.clock.until(young.scheduler.add("a", { every: MINUTE, timeout: 5_000 }, young.body()));
    await world.until("00:02:30");
    expect([old.ran, young.ran]).toEqual([["00:01:00"], ["00:02:00"]]);
    await world.clock.until(young.scheduler.close());
    await world.until("00:03:29");
    expect(old.ran).toEqual(["00:01:00"]);
    await world.until("00:05:30");
    expect(old.ran.slice(1)).toEqual(["00:03:30", "00:04:00", "00:05:00"]);
    process.off("warning", onWarning);
    expect(warned.join()).toMatch(
      /has a newer definition, revision 2 .*: this process runs it once it has seen no process with that one for a minute/,
    );
    expect(warned.join()).toMatch(/is run by its earlier definition again, as revision 3/);
  });

  it("is added by an old process, which restarts, without an effect", async () => {
    const [old, young] = [await world.scheduler("old"), await world.scheduler("young")];
    await world.clock.until(old.scheduler.add("a", { every: MINUTE }, old.body()));
    await world.clock.until(old.scheduler.close());
    await world.clock.until(young.scheduler.add("a", { cron: "*/2 * * * *" }, young.body()));
    const again = await world.scheduler("again");
    await world.clock.until(again.scheduler.add("a", { every: MINUTE }, again.body()));
    await world.until("00:04:30");
    expect([again.ran, young.ran]).toEqual([[], ["00:02:00", "00:04:00"]]);
  });
});

describe("a schedule that is removed", () => {
  it("is not run any more, by any process", async () => {
    const [one, two] = [await world.scheduler("one"), await world.scheduler("two")];
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    await world.until("00:01:30");
    expect(await world.clock.until(two.scheduler.remove("a"))).toBe(true);
    expect(await world.clock.until(two.scheduler.remove("a"))).toBe(false);
    await world.until("00:03:30");
    expect(one.ran).toEqual(["00:01:00"]);
    await expect(world.clock.until(two.scheduler.next("a"))).rejects.toMatchObject({ code: "UNKNOWN" });
  });
});

describe("a schedule that the store has lost", () => {
  it("is put back by a process that had it, paused as it was, and is seen by the others", async () => {
    const warned: string[] = [];
    const onWarning = ({ message }: Error): void => void warned.push(message);
    process.on("warning", onWarning);
    onTestFinished(() => void process.off("warning", onWarning));
    const [one, two] = [await world.scheduler("one"), await world.scheduler("two")];
    for (const { scheduler, body } of [one, two]) {
      await world.clock.until(scheduler.add("a", { every: MINUTE }, body()));
      await world.clock.until(scheduler.add("b", { every: MINUTE }, body()));
    }
    await world.clock.until(one.scheduler.pause("b", { reason: "move" }));
    await world.until("00:01:30");
    await world.forgetAll();
    await world.until("00:03:30");
    expect(world.ran.map((run) => run.slice(0, 8))).toEqual(["00:01:00", "00:02:00", "00:03:00"]);
    expect(await world.ticks(one)).toEqual([
      expect.stringMatching(/^00:02:00 run by /),
      expect.stringMatching(/^00:03:00 run by /),
    ]);
    expect(warned.join("\n")).toMatch(/the store had lost the schedule "a": it is there again/);
    const [why] = await world.clock.until(two.scheduler.why("b"));
    expect(why).toMatchObject({ code: "paused", text: expect.stringMatching(/move/) });
    const third = await world.scheduler("third");
    expect(await world.clock.until(third.scheduler.why("a"))).not.toContainEqual(
      expect.objectContaining({ code: "unattended" }),
    );
  });

  it("is not put back by a process that had an older definition, nor once it was removed", async () => {
    const [old, young] = [await world.scheduler("old"), await world.scheduler("young")];
    await world.clock.until(old.scheduler.add("a", { every: MINUTE }, old.body()));
    await world.clock.until(young.scheduler.add("a", { cron: "*/2 * * * *" }, young.body()));
    await world.until("00:00:30");
    await world.forgetAll();
    await world.until("00:04:30");
    expect([old.ran, young.ran]).toEqual([[], ["00:02:00", "00:04:00"]]);
    await world.clock.until(young.scheduler.remove("a"));
    await world.until("00:08:30");
    expect([old.ran, young.ran]).toEqual([[], ["00:02:00", "00:04:00"]]);
    await world.clock.until(old.scheduler.add("a", { every: MINUTE }, old.body()));
    await world.until("00:09:30");
    expect(old.ran).toEqual(["00:09:00"]);
  });
});

describe("a requested run", () => {
  it("is started by the process that has the job, even while the schedule is paused", async () => {
    const [one, two] = [await world.scheduler("one"), await world.scheduler("two")];
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body(5_000)));
    await world.clock.until(two.scheduler.pause("a", { reason: "move" }));
    const id = await world.clock.until(two.scheduler.runNow("a", { reason: "to test it", author: "ana" }));
    const [record] = await world.records(two);
    expect(record).toMatchObject({ id, trigger: "run now by ana: to test it" });
    await world.clock.advance(1_000);
    await expect(world.clock.until(two.scheduler.runNow("a", { reason: "again" }))).rejects.toThrow(/held by/);
    const [last] = await world.clock.until(collect(two.manager.audit({ name: "a" })));
    expect(last).toMatchObject({ action: "not-started", reason: expect.stringContaining("held by") });
    await expect(world.clock.until(two.scheduler.runNow("a", { reason: "" }))).rejects.toThrow(/needs a reason/);
    for (const [args, message] of [
      [[1], /args must be a map/],
      [{ a: "x".repeat(5_000) }, /args must be at most 4096 bytes/],
      [{ a: 1n }, /args must be JSON/],
    ] as const)
      await expect(
        world.clock.until(two.scheduler.runNow("a", { reason: "now", args: args as never })),
      ).rejects.toMatchObject({ code: "INVALID", message: expect.stringMatching(message) });
  });

  it("gives its args to the job function, also to an attempt that another process makes, and none to a tick", async () => {
    const [one, two] = [await world.scheduler("one"), await world.scheduler("two")];
    const seen: unknown[] = [];
    let first: SchedulerOf | undefined;
    const definition = { every: 60 * MINUTE, retry: { attempts: 2, delay: MINUTE } };
    for (const each of [one, two]) {
      const body = ({ args, tick, attempt }: Run): void => {
        seen.push([attempt, args]);
        first ??= each;
        if (tick === undefined && attempt === 1) throw new Error("no");
      };
      await world.clock.until(each.scheduler.add("a", definition, body));
    }
    const args = { day: "2026-11-01", files: ["a.csv"] };
    await world.clock.until(two.scheduler.runNow("a", { reason: "the file came late", args }));
    await world.clock.advance(1_000);
    world.kill(first === one ? one : two);
    await world.until("01:00:30");
    expect(seen).toEqual([
      [1, args],
      [2, args],
      [1, {}],
    ]);
  });

  it("is refused where no process can run it", async () => {
    const [one, two] = [await world.scheduler("one"), await world.scheduler("two")];
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    await world.clock.until(one.scheduler.close());
    await expect(world.clock.until(two.scheduler.runNow("a", { reason: "now" }))).rejects.toMatchObject({
      code: "REFUSED",
      message: '"a" was not started: no process that can run it answered within 30 s',
    });
  });

  it("is withdrawn by its caller, if no process answered: a process that comes later runs nothing", async () => {
    const [one, two] = [await world.scheduler("one"), await world.scheduler("two")];
    await world.clock.until(one.scheduler.add("a", { every: 60 * MINUTE }, one.body()));
    await world.clock.until(one.scheduler.close());
    const abort = new AbortController();
    const asked = two.scheduler.runNow("a", { reason: "now", author: "ana", signal: abort.signal });
    const refused = expect(asked).rejects.toThrow("changed my mind");
    await world.clock.advance(1_000);
    abort.abort(new Error("changed my mind"));
    await refused;
    await world.clock.advance(1_000);
    const late = two.scheduler.runNow("a", { reason: "again", author: "bo", within: 3_000 });
    await expect(world.clock.until(late)).rejects.toThrow(/answered within 3 s/);
    const three = await world.scheduler("three");
    await world.clock.until(three.scheduler.add("a", { every: 60 * MINUTE }, three.body()));
    await world.clock.advance(5 * MINUTE);
    expect(three.ran).toEqual([]);
    expect(await world.clock.until(collect(two.manager.audit({ name: "a" })))).toMatchObject([
      { action: "not-started", author: "bo", reason: "no process that can run it answered within 3 s" },
      { action: "run-now", author: "bo" },
      { action: "not-started", author: "ana", reason: "changed my mind" },
      { action: "run-now", author: "ana" },
    ]);
  });

  it("is void soon after its caller was killed", async () => {
    const [one, two] = [await world.scheduler("one"), await world.scheduler("two")];
    await world.clock.until(one.scheduler.add("a", { every: 60 * MINUTE }, one.body()));
    await world.clock.until(one.scheduler.close());
    void two.scheduler.runNow("a", { reason: "now" }).catch(() => {});
    await world.clock.advance(1_000);
    world.kill(two);
    await world.clock.advance(MINUTE);
    const three = await world.scheduler("three");
    await world.clock.until(three.scheduler.add("a", { every: 60 * MINUTE }, three.body()));
    await world.clock.advance(MINUTE);
    expect(three.ran).toEqual([]);
  });

  it("for ticks that are over runs those that were not run, one after the other", async () => {
    const one = await world.scheduler("one");
    const definition: ScheduleDefinition = { every: MINUTE, missed: "none" };
    await world.clock.until(one.scheduler.add("a", definition, one.body()));
    await world.until("00:01:30");
    await world.clock.until(one.scheduler.close());
    await world.until("00:06:30");
    const two = await world.scheduler("two");
    await world.clock.until(two.scheduler.add("a", definition, two.body(1_000)));
    await world.until("00:06:45");
    expect(await world.ticks(two)).toEqual([
      "00:01:00 run by one",
      "00:02:00-00:05:00 (4) missed policy",
      "00:06:00 run by two",
    ]);
    const asked = two.scheduler.backfill("a", { from: "2030-01-01T00:01Z", to: "2030-01-01T00:05Z", reason: "report" });
    expect(await world.clock.until(asked)).toEqual({ id: expect.any(String), ticks: 4, ran: 1, toRun: 3 });
    await world.until("00:06:55");
    const done = { from: "2030-01-01T00:01Z", to: "2030-01-01T00:05Z", reason: "again" };
    const nothing = two.scheduler.backfill("a", done);
    expect(await world.clock.until(nothing)).toEqual({ ticks: 4, ran: 4, toRun: 0 });
    const none = two.scheduler.backfill("a", { ...done, from: "2030-01-01T00:01:01Z", to: "2030-01-01T00:01:59Z" });
    expect(await world.clock.until(none)).toEqual({ ticks: 0, ran: 0, toRun: 0 });
    const acts: string[] = [];
    for await (const { action, reason } of two.manager.audit({ name: "a" })) acts.push(`${action}: ${reason}`);
    expect(acts).toEqual(["backfill: report"]);
    expect(await world.ticks(two)).toEqual([
      "00:01:00 run by one",
      "00:02:00 run by two",
      "00:03:00 run by two",
      "00:04:00 run by two",
      "00:05:00 missed policy",
      "00:06:00 run by two",
    ]);
    const again = two.scheduler.backfill("a", {
      from: "2030-01-01T00:04Z",
      to: "2030-01-01T00:05Z",
      again: true,
      reason: "x",
    });
    await world.clock.until(again);
    await world.until("00:07:30");
    const told = await world.clock.until(collect(two.scheduler.ticks("a", { limit: 5 })));
    expect(told.map((tick) => whyBackfilled(tick)).reverse()).toEqual([
      expect.stringMatching(/^run later, by a backfill: it was missed, as no process was there, .* are not run$/),
      "run later, by a backfill: it had been run before",
      undefined,
      undefined,
      undefined,
    ]);
    expect(two.ran.slice(0, 4)).toEqual(["00:06:30", "00:06:45", "00:06:46", "00:06:47"]);
  });

  it("for undecided ticks runs them once no process was there, and each tick keeps one outcome", async () => {
    const definition: ScheduleDefinition = { every: MINUTE, missed: "none" };
    const one = await world.scheduler("one");
    await world.clock.until(one.scheduler.add("a", definition, one.body()));
    await world.until("00:01:30");
    await world.clock.until(one.scheduler.close());
    await world.until("00:08:30");
    const two = await world.scheduler("two");
    const asked = { from: "2030-01-01T00:03Z", to: "2030-01-01T00:06Z", reason: "outage" };
    await world.clock.until(two.scheduler.backfill("a", asked));
    const three = await world.scheduler("three");
    await world.clock.until(three.scheduler.add("a", definition, three.body(1_000)));
    await world.until("00:08:45");
    expect(await world.ticks(three)).toEqual([
      "00:01:00 run by one",
      "00:02:00 missed policy",
      "00:03:00 run by three",
      "00:04:00 run by three",
      "00:05:00 run by three",
      "00:06:00-00:07:00 (2) missed policy",
      "00:08:00 run by three",
    ]);
    // The last tick of the range stays, alone.
    await world.clock.until(two.scheduler.backfill("a", { ...asked, from: asked.to, to: "2030-01-01T00:07Z" }));
    await world.until("00:08:50");
    expect((await world.ticks(three)).slice(-3)).toEqual([
      "00:06:00 run by three",
      "00:07:00 missed policy",
      "00:08:00 run by three",
    ]);
  });
});

it("a clock that is set back runs no tick again, and a cursor of a wrong date is set right", async () => {
  const one = await world.scheduler("one");
  await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
  await world.until("00:03:30");
  world.clock.wall -= 2 * MINUTE;
  await world.clock.advance(2 * MINUTE);
  expect(one.ran).toHaveLength(3);
  await world.clock.advance(MINUTE);
  expect(one.ran).toHaveLength(4);
  world.clock.wall += 3 * 86_400_000;
  await world.clock.advance(2 * MINUTE);
  const before = one.ran.length;
  world.clock.wall -= 3 * 86_400_000;
  await world.clock.advance(2 * MINUTE);
  expect(one.ran.length).toBeGreaterThanOrEqual(before + 1);
});

describe("a clock that was hours or days ahead, and is set right", () => {
  const HOUR = 60 * MINUTE;
  const DAY = 24 * HOUR;

  beforeEach(() => {
    // There is one process: no other one checks its heartbeats.
    world.clock.rest = 30 * MINUTE;
  });

  /** Each tick of a schedule with its outcome, oldest first; a tick with two outcomes is there twice. */
  async function outcomesOf({ scheduler }: SchedulerOf, every: number): Promise<[at: string, outcome: string][]> {
    const all: [number, string][] = [];
    for (const { at, until = at, outcome, reason } of await world.clock.until(collect(scheduler.ticks("a"))))
      for (let tick = at; tick <= until; tick += every) all.push([tick, reason ?? outcome]);
    return all.sort(([a], [b]) => a - b).map(([at, text]) => [new Date(at).toISOString().slice(5, 13), text]);
  }

  it.each<[hours: number, policy: string, ScheduleDefinition["missed"]]>([
    [48, "none", "none"],
    [48, "latest", "latest"],
    [48, "all", "all"],
    [48, "all, three at most", { run: "all", max: 3 }],
    [3, "latest", "latest"],
  ])("leaves each tick one outcome, and ticks are run at their time: %i hours, missed %s", async (hours, _, missed) => {
    const one = await world.scheduler("one");
    const ran: number[] = [];
    await world.clock.until(
      one.scheduler.add("a", { every: HOUR, ...(missed && { missed }) }, ({ tick }) => void ran.push(tick?.at ?? 0)),
    );
    await world.clock.advance(2 * HOUR);
    world.clock.jump(hours * HOUR);
    await world.clock.advance(HOUR);
    const wrong = new Set(ran);
    world.clock.jump(-hours * HOUR);
    const right = world.clock.now();
    await world.clock.advance(52 * HOUR);
    const ticks = await outcomesOf(one, HOUR);
    expect(ticks.map(([at]) => at)).toEqual([...new Set(ticks.map(([at]) => at))]);
    expect(ran).toEqual([...new Set(ran)]);
    const atTheirTime = Array.from({ length: 52 }, (__, i) => right - (right % HOUR) + (i + 1) * HOUR);
    expect(new Set(ran)).toEqual(new Set([...wrong, ...atTheirTime]));
    expect(ticks.filter(([at, text]) => text !== "run" && at > new Date(right).toISOString().slice(5, 13))).toEqual([]);
    await world.close();
  });

  it("costs a daily job no night but those that the wrong clock has run", async () => {
    const nightly: ScheduleDefinition = { cron: "0 2 * * *", missed: "latest" };
    const one = await world.scheduler("one");
    await world.clock.until(one.scheduler.add("a", nightly, one.body()));
    world.clock.jump(2 * DAY + 3 * HOUR);
    await world.clock.advance(HOUR);
    expect(one.ran).toHaveLength(1);
    world.clock.jump(-(2 * DAY + 3 * HOUR));
    // In the second night there is no process: its tick is handled by the policy.
    await world.clock.advance(DAY);
    await world.clock.until(one.scheduler.close());
    await world.clock.advance(DAY);
    const two = await world.scheduler("two");
    await world.clock.until(two.scheduler.add("a", nightly, two.body()));
    await world.clock.advance(2 * DAY);
    expect(await outcomesOf(two, DAY)).toEqual([
      ["01-01T02", "run"],
      ["01-02T02", "run"],
      ["01-03T02", "run"],
      ["01-04T02", "run"],
    ]);
    expect([one.ran.length, two.ran.length]).toEqual([2, 2]);
    await world.close();
  });

  it("and was days behind instead, runs nothing again, and keeps the outcomes", async () => {
    const one = await world.scheduler("one");
    await world.clock.until(one.scheduler.add("a", { every: HOUR, missed: "all" }, one.body()));
    await world.clock.advance(3 * HOUR);
    await world.clock.until(one.scheduler.pause("a", { reason: "move" }));
    await world.clock.advance(3 * HOUR);
    await world.clock.until(one.scheduler.resume("a"));
    await world.clock.advance(HOUR);
    const before = await outcomesOf(one, HOUR);
    const [ran, days] = [one.ran.length, 400 * DAY];
    world.clock.jump(-days);
    await world.clock.advance(10 * MINUTE);
    world.clock.jump(days);
    await world.clock.advance(MINUTE);
    const after = await outcomesOf(one, HOUR);
    expect(after).toEqual(before);
    expect(one.ran).toHaveLength(ran);
    await world.close();
  });

  it("and was days behind, runs no tick that ended a range of others: the oldest that the policy would run", async () => {
    const definition: ScheduleDefinition = { every: HOUR, missed: { run: "all", max: 5 } };
    const one = await world.scheduler("one");
    await world.clock.until(one.scheduler.add("a", definition, one.body()));
    await world.clock.until(one.scheduler.pause("a", { reason: "move" }));
    await world.clock.until(one.scheduler.close());
    await world.clock.advance(3 * HOUR);
    const two = await world.scheduler("two");
    await world.clock.until(two.scheduler.add("a", definition, two.body()));
    await world.clock.until(two.scheduler.resume("a"));
    const before = await outcomesOf(two, HOUR);
    expect(new Set(before.map(([, text]) => text))).toEqual(new Set(["paused"]));
    world.clock.jump(-400 * DAY);
    await world.clock.advance(10 * MINUTE);
    // Five ticks are due then that have not run: the last of the pause, and four after it.
    world.clock.jump(400 * DAY + 4 * HOUR);
    await world.clock.advance(MINUTE);
    const after = await outcomesOf(two, HOUR);
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after.map(([at]) => at)).toEqual([...new Set(after.map(([at]) => at))]);
    await world.close();
  });
});

it.each([0, 50, 400])(
  "a scheduler whose clock is an hour and %i ms behind costs no tick its outcome, and none a second run",
  async (more) => {
    const EVERY = 10_000;
    const [right, behind] = [await world.scheduler("right"), await world.scheduler("behind")];
    const begin = world.clock.now();
    // With more than an hour, it sets back each cursor that the other scheduler has just moved.
    const clock = new Proxy(world.clock, {
      get(of, key) {
        if (key === "now") return () => of.now() - 60 * MINUTE - more;
        const value: unknown = Reflect.get(of, key, of);
        return typeof value === "function" ? value.bind(of) : value;
      },
    });
    const slow = openScheduler(behind.manager, { clock });
    const ran: number[] = [];
    const body = async ({ tick }: Run): Promise<void> => {
      ran.push(tick?.at ?? 0);
      await new Promise<void>((resolve) => void world.clock.after(ran.length % 3 === 0 ? 12_000 : 900, resolve));
    };
    const definition: ScheduleDefinition = { every: EVERY, missed: { run: "all", max: 5 } };
    await world.clock.until(right.scheduler.add("a", definition, body));
    await world.clock.until(slow.add("a", definition, body));
    await world.clock.advance(5 * MINUTE);
    await world.clock.until(slow.close());
    await world.clock.advance(2 * MINUTE);
    const decided = new Set<number>();
    for (const { at, until = at } of await world.clock.until(collect(right.scheduler.ticks("a"))))
      for (let tick = at; tick <= until; tick += EVERY) decided.add(tick);
    const first = begin - (begin % EVERY) + EVERY;
    const holes: string[] = [];
    for (let tick = first; tick < world.clock.now() - MINUTE; tick += EVERY)
      if (!decided.has(tick)) holes.push(world.time(tick));
    expect(holes).toEqual([]);
    expect(ran).toEqual([...new Set(ran)]);
    await world.close();
  },
);

describe("what schedules cost the store", () => {
  /** The number of calls for each tick of some minutes, without the calls that show that a process lives. */
  async function callsFor(processes: number, schedules: number, minutes: number): Promise<number> {
    const here = new World("2030-01-01T00:00:30Z");
    const all: SchedulerOf[] = [];
    for (let i = 0; i < processes; i++) all.push(await here.scheduler(`p${i}`));
    for (const { scheduler, body } of all) {
      for (let i = 0; i < schedules; i++) {
        await here.clock.until(scheduler.add(`s${i}`, { every: MINUTE, jitter: MINUTE }, body()));
      }
    }
    await here.clock.advance(2 * MINUTE);
    let calls = 0;
    const isOurs = (key: string): boolean =>
      /^oJobManager-(schedules \["(schedule|cursor|tick)|locks \["lock)/.test(key);
    for (const { way } of all) {
      const [read, commit] = [way.read.bind(way), way.commit.bind(way)];
      way.read = (keys, options) => {
        if (keys.some(isOurs)) calls++;
        return read(keys, options);
      };
      way.commit = (it, options) => {
        if (it.writes.some(({ key }) => isOurs(key))) calls++;
        return commit(it, options);
      };
    }
    const ran = here.ran.length;
    await here.clock.advance(minutes * MINUTE);
    const ticks = here.ran.length - ran;
    expect(ticks).toBeGreaterThan(0.9 * schedules * minutes);
    const each = calls / ticks;
    await here.close();
    return each;
  }

  it("is the same for two processes and for twelve: it grows with the ticks alone", async () => {
    const [two, twelve] = [await callsFor(2, 30, 10), await callsFor(12, 30, 10)];
    // The start of the run, its end, and the check of the second member.
    expect([two, twelve].map((calls) => Math.round(calls))).toEqual([3, 3]);
  });
});
