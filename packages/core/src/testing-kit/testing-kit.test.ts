import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Run } from "../jobs/types.js";
import { openTestManager, runOnce, TestClock } from "../testing-kit.js";

describe("a clock that a test moves", () => {
  test("does not move until the test moves it, and fires what is due in order", async () => {
    const clock = new TestClock({ start: "2026-03-29T00:59:00Z" });
    const fired: string[] = [];
    clock.after(2_000, () => fired.push(`b ${new Date(clock.now()).toISOString()}`));
    clock.after(1_000, () => fired.push(`a ${new Date(clock.now()).toISOString()}`));
    await pause(5);
    expect(fired).toEqual([]);
    await clock.advance(1_500);
    expect(fired).toEqual(["a 2026-03-29T00:59:01.000Z"]);
    await clock.advanceTo("2026-03-29T01:00:00Z");
    expect(fired).toEqual(["a 2026-03-29T00:59:01.000Z", "b 2026-03-29T00:59:02.000Z"]);
    expect(new Date(clock.now()).toISOString()).toBe("2026-03-29T01:00:00.000Z");
    clock.jump(-3_600_000);
    expect(new Date(clock.now()).toISOString()).toBe("2026-03-29T00:00:00.000Z");
  });

  test("waits for work that waits for something else, such as a module that is loaded", async () => {
    const clock = new TestClock();
    const work = async (): Promise<number> => {
      await pause(20);
      await new Promise<void>((resolve) => clock.after(1_000, resolve));
      await pause(20);
      return clock.monotonic();
    };
    const began = clock.monotonic();
    expect(await clock.until(work())).toBe(began + 1_000);
  });

  test("refuses a start that is not a time", () => {
    expect(() => new TestClock({ start: "tomorrow" })).toThrow("not a time: tomorrow");
  });
});

describe("a manager in memory", () => {
  test("has a store and a time of its own", async () => {
    await using one = await openTestManager({ start: "2026-01-01T00:00:00Z" });
    await using two = await openTestManager();
    const { record } = await one.manager.run("a", () => {});
    expect(record.id).toBe("a@2026-01-01T00:00:00.000Z");
    for await (const other of two.manager.history()) expect(other).toBeUndefined();
  });

  test("lets no time pass while a body works with files and timers of the machine", async () => {
    await using test = await openTestManager();
    const begin = test.clock.now();
    let end = 0;
    const done = test.manager.run("a", async () => {
      await readFile(new URL(import.meta.url));
      await pause(20);
      end = test.clock.now();
    });
    await test.clock.advance(24 * 3_600_000);
    expect((await done).record.status).toBe("completed");
    expect([end - begin, test.clock.now() - begin]).toEqual([0, 24 * 3_600_000]);
  });

  test("lets time pass for a body that waits for its signal, if asked to", async () => {
    await using test = await openTestManager({ waitForBodies: false });
    const body = (run: Run): Promise<void> =>
      new Promise((_, reject) => run.signal.addEventListener("abort", () => reject(run.signal.reason)));
    const late = test.manager.run("a", body, { timeout: 60_000 }).catch((error: unknown) => error);
    await test.clock.advance(60_000);
    expect(await late).toMatchObject({ code: "TIMEOUT" });
  });
});

describe("runOnce", () => {
  test("returns the result, the record and the log of a body", async () => {
    const ran = await runOnce(
      async (run) => {
        run.log.info("3 orders", { from: "acme" });
        await pause(5);
        return 3;
      },
      { name: "import", at: "2026-11-25T02:00:00Z", tick: { schedule: "import", at: Date.UTC(2026, 10, 25, 2) - 500 } },
    );
    expect(ran).toMatchObject({ result: 3, error: undefined });
    expect(ran.record).toMatchObject({ id: "import@2026-11-25T02:00:00.000Z", status: "completed", delay: 500 });
    expect(ran.log.map(({ level, text }) => `${level} ${text}`)).toEqual(['info 3 orders {"from":"acme"}']);
  });

  test("returns the error of a body that throws", async () => {
    const error = new Error("no orders");
    const ran = await runOnce(() => Promise.reject(error));
    expect(ran.error).toBe(error);
    expect(ran.record).toMatchObject({ status: "failed", error: "no orders" });
    expect((await runOnce((run) => void run.skip("nothing to do"))).record.status).toBe("skipped");
  });

  test("cancels a body", async () => {
    const controller = new AbortController();
    const ran = await runOnce(
      (run) => {
        controller.abort(new Error("enough"));
        run.signal.throwIfAborted();
      },
      { signal: controller.signal },
    );
    expect(ran.record.status).toBe("cancelled");
  });

  test("throws if the run cannot begin", async () => {
    await expect(runOnce(() => {}, { name: "" })).rejects.toMatchObject({ code: "INVALID" });
  });
});
