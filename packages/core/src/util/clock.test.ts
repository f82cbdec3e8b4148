import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { startOf, systemClock } from "./clock.js";

describe("the clock of the machine", () => {
  test("the system clock goes forward only, and counts in ms", async () => {
    const before = systemClock.monotonic();
    const wall = systemClock.now();
    await sleep(20);
    expect(systemClock.monotonic() - before).toBeGreaterThanOrEqual(19);
    expect(systemClock.now()).toBeGreaterThanOrEqual(wall);
    expect(Number.isInteger(systemClock.now())).toBe(true);
  });

  test("a timer of the system clock calls once, not before its time, and not when it is cancelled", async () => {
    const calls: string[] = [];
    // Node counts from the start of the turn of its event loop, so that a busy machine seems to fire early.
    setTimeout(() => calls.push("a timer of 28 ms"), 28);
    await new Promise<void>((resolve) => {
      systemClock.after(
        30,
        () => {
          calls.push("the clock");
          resolve();
        },
        true,
      );
    });
    expect(calls).toEqual(["a timer of 28 ms", "the clock"]);
    const never = vi.fn();
    systemClock.after(5, never, true)();
    await sleep(30);
    expect(never).not.toHaveBeenCalled();
  });

  test("a timer of the system clock can wait longer than a timer of Node can count", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    let now = 0;
    vi.spyOn(systemClock, "monotonic").mockImplementation(() => now);
    const pass = (ms: number): void => {
      now += ms;
      vi.advanceTimersByTime(ms);
    };
    const fired = vi.fn();
    const month = 40 * 86_400_000;
    systemClock.after(month, fired);
    pass(2_147_483_647);
    expect(fired).not.toHaveBeenCalled();
    pass(month - 2_147_483_647 - 1);
    expect(fired).not.toHaveBeenCalled();
    pass(1);
    expect(fired).toHaveBeenCalledOnce();
    const cancelled = vi.fn();
    const cancel = systemClock.after(month, cancelled);
    pass(2_147_483_648);
    cancel();
    pass(month);
    expect(cancelled).not.toHaveBeenCalled();
    systemClock.after(Number.POSITIVE_INFINITY, cancelled);
    pass(month);
    expect(cancelled).not.toHaveBeenCalled();
    vi.useRealTimers();
  });

  test("the system clock rolls random texts that are all different", () => {
    const rolls = new Set(Array.from({ length: 1_000 }, () => systemClock.random(12)));
    expect(rolls.size).toBe(1_000);
    for (const roll of rolls) expect(roll).toMatch(/^[0-9a-z]{12}$/);
  });
});

test("a process that is suspended while it sets its clock gets a clock that is not behind others", () => {
  let time = 5_000;
  let stalls = 3;
  const host = (): number => time;
  const now = (): number => {
    // Between the two reads, a busy machine may do something else for a while.
    if (stalls-- > 0) time += 700;
    return time - 4_000;
  };
  expect(startOf(host, now)).toBe(4_000);
});
