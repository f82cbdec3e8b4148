import { openTestManager, type TestManager } from "@ojm/core/testing";
import { openScheduler } from "@ojm/schedule";

/** Produces one of everything that is measured: runs of each result, waits, ticks, renewals. */
export async function everything(): Promise<void> {
  await using test = await openTestManager({ start: "2026-11-25T02:00:00Z", waitForBodies: false });
  const { manager, clock } = test;
  const fails = (): Promise<never> => Promise.reject(new Error("no orders"));
  await clock.until(manager.run("good", (run) => run.log.info("well")));
  await clock.until(manager.run("bad", fails).catch(() => {}));
  await clock.until(manager.run("idle", (run) => run.skip("nothing to do")).catch(() => {}));
  await clock.until(manager.run("slow", () => new Promise(() => {}), { timeout: 9_000 }).catch(() => {}));
  const first = await clock.until(manager.start("taken"));
  const second = manager.run("taken", () => {}, { wait: 60_000 });
  await clock.advance(7_000);
  await clock.until(first.end());
  await clock.until(second);
  await ticks(test);
}

async function ticks({ manager, clock }: TestManager): Promise<void> {
  const scheduler = openScheduler(manager, { clock });
  await clock.until(scheduler.add("hourly", { cron: "0 * * * *" }, () => {}));
  await clock.until(scheduler.add("paused", { cron: "30 * * * *" }, () => {}));
  await clock.until(scheduler.pause("paused", { reason: "x" }));
  await clock.advance(2 * 3_600_000);
  await clock.until(scheduler.close());
}
