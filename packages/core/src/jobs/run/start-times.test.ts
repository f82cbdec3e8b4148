import { expect, test } from "vitest";
import { FakeClock } from "../../testing/fake-clock.js";
import { StartTimes } from "./context.js";

test("the start times of names that run by turns are all remembered, and not those of ever more names", () => {
  const clock = new FakeClock();
  const times = new StartTimes(clock);
  for (const name of ["a", "b"]) times.taken(name, clock.now());
  expect(["a", "b"].map((name) => times.next(name) - clock.now())).toEqual([1, 1]);
  for (let i = 0; i < 20_000; i++) times.taken(`job ${i}`, clock.now());
  expect(times.next("a")).toBe(clock.now());
});
