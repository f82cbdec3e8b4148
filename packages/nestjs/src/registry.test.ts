import { type INestApplicationContext, Inject, Injectable, Logger } from "@nestjs/common";
import { startRedis, whyMissing } from "@ojm/testing/redis";
import { CronJob } from "cron";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { collect } from "../../core/src/testing/settle.js";
import { Cron, Interval, Ojm, OjmHealthIndicator, SchedulerRegistry, Timeout } from "./index.js";
import { openApp } from "./testing/app.js";

@Injectable()
class Tasks {
  runs = 0;

  @Cron("0 2 * * *", { name: "nightly", timeZone: "Europe/Lisbon" })
  nightly(): void {}

  @Cron("* * * * * *", { name: "off", disabled: true })
  off(): void {
    this.runs++;
  }

  @Cron("* * * * * *", { name: "later", initialDelay: 3_600_000 })
  later(): void {}

  @Interval("often", 60_000)
  often(): void {}

  @Timeout("warm-up", 3_600_000)
  warmUp(): void {}
}

async function open(): Promise<{ app: INestApplicationContext; ojm: Ojm; registry: SchedulerRegistry }> {
  const app = await openApp([Tasks]);
  return { app, ojm: app.get(Ojm), registry: app.get(SchedulerRegistry) };
}

/** The names of the schedules in the store. */
const stored = async ({ scheduler }: Ojm): Promise<string[]> =>
  (await collect(scheduler.schedules())).map(({ name }) => name);

describe("SchedulerRegistry", () => {
  it("has the jobs of each kind, and says which there are when one is missing", async () => {
    const { registry, ojm } = await open();
    expect([...registry.getCronJobs().keys()]).toEqual(["nightly", "off", "later"]);
    expect([registry.getIntervals(), registry.getTimeouts()]).toEqual([["often"], ["warm-up"]]);
    expect(registry.doesExist("cron", "nightly")).toBe(true);
    expect(registry.doesExist("interval", "nightly")).toBe(false);
    expect(() => registry.getCronJob("nightlyy")).toThrow('the cron "nightlyy" is unknown. Known: nightly, off, later');
    expect(await stored(ojm)).toEqual(["nightly", "often"]);
  });

  it("shows the ticks and the newest run of a cron job, and runs it", async () => {
    const { registry, ojm } = await open();
    const job = registry.getCronJob("nightly");
    expect(job.cronTime).toEqual({ source: "0 2 * * *", timeZone: "Europe/Lisbon" });
    const [first, second] = job.nextDates(2) as [Date, Date];
    expect(job.nextDate()).toEqual(first);
    expect(second.getTime() - first.getTime()).toBeGreaterThanOrEqual(23 * 3_600_000);
    expect(await job.lastDate()).toBeNull();
    const id = await job.fireOnTick();
    expect(await ojm.manager.run("nightly", () => id, { wait: "1m" })).toMatchObject({ result: id });
    expect(await job.lastDate()).toBeInstanceOf(Date);
  });

  it("starts a disabled job, and stops it in this process while it stays in the store", async () => {
    const { app, registry, ojm } = await open();
    const job = registry.getCronJob("off");
    expect(job.isActive).toBe(false);
    await job.start();
    expect(job.isActive).toBe(true);
    await expect.poll(() => app.get(Tasks).runs).toBeGreaterThan(0);
    await job.stop();
    expect(job.isActive).toBe(false);
    expect(await stored(ojm)).toContain("off");
    await expect.poll(async () => (await ojm.scheduler.why("off"))[0]?.code).toBe("unattended");
  });

  it("does not run a job that was stopped while it was being started", async () => {
    const { registry, ojm } = await open();
    const job = registry.getCronJob("off");
    const started = job.start();
    await job.stop();
    await started;
    expect(job.isActive).toBe(false);
    await expect.poll(async () => (await ojm.scheduler.why("off"))[0]?.code).toBe("unattended");
  });

  it("starts a job with a delay early, and forgets deleted jobs", async () => {
    const { registry, ojm } = await open();
    await registry.getCronJob("later").start();
    expect(await stored(ojm)).toContain("later");
    await registry.deleteCronJob("later");
    await registry.deleteInterval("often");
    registry.deleteTimeout("warm-up");
    expect([registry.doesExist("cron", "later"), registry.getIntervals(), registry.getTimeouts()]).toEqual([
      false,
      [],
      [],
    ]);
  });

  it("takes a job of the package cron, runs its callback as a run, and records its error", async () => {
    vi.spyOn(Logger.prototype, "error").mockImplementation(() => {});
    const { registry, ojm } = await open();
    let calls = 0;
    const job = new CronJob("* * * * * *", async () => {
      await Promise.resolve();
      if (++calls === 1) throw new Error("the first one");
    });
    registry.addCronJob("dynamic", job);
    expect(() => registry.addCronJob("dynamic", job)).toThrow('"dynamic" is the name of two jobs');
    expect(registry.getCronJob("dynamic").isActive).toBe(false);
    job.start();
    const statuses = async (): Promise<string[]> =>
      (await collect(ojm.manager.history({ name: "dynamic" }))).map(({ status, error }) => `${status} ${error ?? ""}`);
    await expect.poll(statuses).toEqual(expect.arrayContaining(["failed the first one", "completed "]));
    await job.stop();
    expect(registry.getCronJob("dynamic").isActive).toBe(false);
    expect(calls).toBe((await statuses()).length);
  });

  it("keeps a job that a constructor adds, and leaves its start to the application", async () => {
    @Injectable()
    class Dynamic {
      constructor(@Inject(SchedulerRegistry) registry: SchedulerRegistry) {
        registry.addCronJob("dynamic", new CronJob("0 0 1 1 *", () => {}));
      }
    }
    const app = await openApp([Dynamic]);
    expect(app.get(SchedulerRegistry).getCronJob("dynamic").isActive).toBe(false);
    expect(await stored(app.get(Ojm))).toEqual([]);
  });

  it("takes over a job of the package cron that was started", async () => {
    const { registry, ojm } = await open();
    const job = CronJob.from({ cronTime: "0 0 1 1 *", onTick: () => {}, start: true, utcOffset: 60 });
    registry.addCronJob("started", job);
    await expect.poll(() => stored(ojm)).toContain("started");
    expect(job.isActive).toBe(false);
    expect(registry.getCronJob("started").cronTime.timeZone).toBe("Etc/GMT-1");
    const never = CronJob.from({ cronTime: new Date(Date.now() + 3_600_000), onTick: () => {} });
    expect(() => registry.addCronJob("never", never)).toThrow(/cronTime must be a text/);
  });

  const missing = whyMissing("redis-server");
  it.skipIf(missing !== undefined)(
    `starts a job once a store that is away answers again, and is not ready until then${missing ? `: ${missing}` : ""}`,
    { tags: ["full"] },
    async () => {
      const error = vi.spyOn(Logger.prototype, "error").mockImplementation(() => {});
      const server = await startRedis();
      onTestFinished(() => server.stop());
      const app = await openApp([Tasks], { store: server.url, grace: 0 });
      const health = async (): Promise<unknown> => (await app.get(OjmHealthIndicator).isHealthy())["ojm"];
      expect(await health()).toEqual({ status: "up" });
      const job = new CronJob("0 0 1 1 *", () => {});
      app.get(SchedulerRegistry).addCronJob("new", job);
      server.freeze();
      const message = `the store ${server.url} does not answer within 2 s`;
      expect(await health()).toEqual({ status: "down", message });
      job.start();
      await expect.poll(() => error.mock.calls.flat()[0]).toMatch(/^new is not run by this process so far: /);
      server.thaw();
      await expect.poll(() => stored(app.get(Ojm))).toContain("new");
      expect(await health()).toEqual({ status: "up" });
    },
  );

  it("has the timer of a timeout, none of an interval, and keeps those of the application until it closes", async () => {
    const { app, registry } = await open();
    expect(registry.getTimeout("warm-up")).toHaveProperty("ref");
    expect(() => registry.getInterval("often")).toThrow('Use deleteInterval("often")');
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    registry.addInterval("mine", timer);
    registry.addTimeout(
      "nightly",
      setTimeout(() => {}, 3_600_000),
    );
    expect(() => registry.addTimeout("nightly", timer)).toThrow('the timeout "nightly" exists');
    expect(registry.getInterval("mine")).toBe(timer);
    expect([registry.getIntervals(), registry.getTimeouts()]).toEqual([
      ["often", "mine"],
      ["warm-up", "nightly"],
    ]);
    registry.deleteTimeout("nightly");
    expect([registry.getTimeouts(), registry.getCronJob("nightly").isActive]).toEqual([["warm-up"], true]);
    await app.close();
    expect([registry.getIntervals(), registry.getTimeouts()]).toEqual([["often"], ["warm-up"]]);
    const before = ticks;
    // Timers with the same delay fire in turn: that of the interval would come first.
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(ticks).toBe(before);
  });
});
