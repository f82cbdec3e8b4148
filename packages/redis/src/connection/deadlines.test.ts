import type { Clock } from "@ojm/core/backend";
import { describe, expect, it } from "vitest";
import { Deadlines } from "./deadlines.js";

/** A clock that stands still until it is told to go on. */
class TestClock implements Clock {
  time = 0;
  timers: { due: number; callback: () => void }[] = [];

  now(): number {
    return this.time;
  }

  monotonic(): number {
    return this.time;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { due: this.time + ms, callback };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  random(length: number): string {
    return "0".repeat(length);
  }

  goTo(time: number): void {
    for (this.time++; this.time <= time; this.time++) {
      const due = this.timers.filter((timer) => timer.due <= this.time);
      this.timers = this.timers.filter((timer) => timer.due > this.time);
      for (const { callback } of due) callback();
    }
    this.time = time;
  }
}

describe("deadlines of calls", () => {
  it("each call expires at its own deadline, with one timer for all calls", () => {
    const clock = new TestClock();
    const deadlines = new Deadlines(clock, 100);
    const expired: string[] = [];
    const call = (name: string): { expire(): void } => ({ expire: () => void expired.push(`${name} ${clock.time}`) });
    const [a, b, c] = [call("a"), call("b"), call("c")];
    deadlines.start(a);
    clock.goTo(30);
    deadlines.start(b);
    clock.goTo(60);
    deadlines.start(c);
    expect(clock.timers).toHaveLength(1);
    deadlines.end(b);
    clock.goTo(200);
    expect(expired).toEqual(["a 100", "c 160"]);
    expect(clock.timers).toHaveLength(0);
    deadlines.start(b);
    clock.goTo(300);
    expect(expired.at(-1)).toBe("b 300");
  });

  it("expireAll makes all waiting calls expire at once, and stops the timer", () => {
    const clock = new TestClock();
    const deadlines = new Deadlines(clock, 100);
    let expired = 0;
    for (let i = 0; i < 3; i++) deadlines.start({ expire: () => void expired++ });
    deadlines.expireAll();
    expect(expired).toBe(3);
    expect(clock.timers).toHaveLength(0);
  });
});
