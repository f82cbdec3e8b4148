import fc from "fast-check";
import { expect, it } from "vitest";
import { Heap } from "./heap.js";

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
