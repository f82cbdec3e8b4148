import { TestClock } from "@ojm/core/testing";
import { describe, expect, it } from "vitest";
import { Deadlines } from "./deadlines.js";

describe("deadlines of calls", () => {
  it("each call expires at its own deadline, with one timer for all calls", async () => {
    const clock = new TestClock();
    const start = clock.monotonic();
    const deadlines = new Deadlines(clock, 100);
    const expired: string[] = [];
    const call = (name: string): { expire(): void } => ({
      expire: () => void expired.push(`${name} ${clock.monotonic() - start}`),
    });
    const [a, b, c] = [call("a"), call("b"), call("c")];
    deadlines.start(a);
    await clock.advance(30);
    deadlines.start(b);
    await clock.advance(30);
    deadlines.start(c);
    expect(clock.pending).toBe(1);
    deadlines.end(b);
    await clock.advance(140);
    expect(expired).toEqual(["a 100", "c 160"]);
    expect(clock.pending).toBe(0);
    deadlines.start(b);
    await clock.advance(100);
    expect(expired.at(-1)).toBe("b 300");
  });

  it("expireAll makes all waiting calls expire at once, and stops the timer", () => {
    const clock = new TestClock();
    const deadlines = new Deadlines(clock, 100);
    let expired = 0;
    for (let i = 0; i < 3; i++) deadlines.start({ expire: () => void expired++ });
    deadlines.expireAll();
    expect(expired).toBe(3);
    expect(clock.pending).toBe(0);
  });
});
