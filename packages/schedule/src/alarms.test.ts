import fc from "fast-check";
import { expect, it } from "vitest";
import { FakeClock } from "../../core/src/testing/fake-clock.js";
import { Alarms, Heap } from "./alarms.js";

function set(alarms: Alarms, clock: FakeClock, due: number): number[] {
  const called: number[] = [];
  alarms.set({ onDue: () => called.push(clock.now() - due) }, due);
  return called;
}

it("ten thousand alarms need one timer, and each is called at its time", async () => {
  const clock = new FakeClock();
  const alarms = new Alarms(clock);
  const all = Array.from({ length: 10_000 }, (_, i) => set(alarms, clock, clock.now() + 1 + ((i * 7_919) % 60_000)));
  expect(clock.pending).toBe(1);
  await clock.advance(61_000);
  expect(all.flat()).toEqual(Array.from({ length: 10_000 }, () => 0));
  expect(clock.pending).toBe(0);
});

it("an alarm that is months away is called then, though no timer of Node can wait for it", async () => {
  const clock = new FakeClock();
  const alarms = new Alarms(clock);
  const called = set(alarms, clock, clock.now() + 86_400_000);
  await clock.advance(86_400_000 - 1);
  expect(called).toEqual([]);
  await clock.advance(1);
  expect(called).toEqual([0]);
});

it("alarms are called within half a minute after the wall clock was put past them", async () => {
  const clock = new FakeClock();
  const alarms = new Alarms(clock);
  const called = set(alarms, clock, clock.now() + 3_600_000);
  await clock.advance(1_000);
  clock.wall += 2 * 3_600_000;
  await clock.advance(30_000);
  expect(called).toHaveLength(1);
});

it("a closed list of alarms calls no listener", async () => {
  const clock = new FakeClock();
  const alarms = new Alarms(clock);
  const called = set(alarms, clock, clock.now() + 1_000);
  alarms.close();
  alarms.set({ onDue: () => called.push(1) }, clock.now() + 1);
  await clock.advance(60_000);
  expect(called).toEqual([]);
});

it("a heap gives its values by their times, whatever was added, moved and deleted", () => {
  const step = fc.record({ value: fc.nat(20), due: fc.option(fc.nat(100), { nil: undefined }) });
  const property = fc.property(fc.array(step, { maxLength: 100 }), fc.nat(120), (steps, now) => {
    const heap = new Heap<number>();
    const model = new Map<number, number>();
    for (const { value, due } of steps) {
      if (due === undefined) heap.delete(value);
      else heap.set(value, due);
      if (due === undefined) model.delete(value);
      else model.set(value, due);
      expect(heap.size).toBe(model.size);
      expect(heap.first).toBe(model.size === 0 ? undefined : Math.min(...model.values()));
    }
    const taken: number[] = [];
    for (let value = heap.take(now); value !== undefined; value = heap.take(now)) taken.push(value);
    const expected = [...model].filter(([, due]) => due <= now).sort(([, a], [, b]) => a - b);
    expect(taken.map((value) => model.get(value))).toEqual(expected.map(([, due]) => due));
    expect(taken.toSorted()).toEqual(expected.map(([value]) => value).toSorted());
  });
  fc.assert(property);
});
