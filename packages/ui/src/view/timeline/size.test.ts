import { array, assert, constantFrom, integer, oneof, option, property, record, string, tuple } from "fast-check";
import { expect, test } from "vitest";
import type { Bar, Status } from "../../contract/types.js";
import { sizeOf } from "./bars.js";

test("the size of a lane is that of its JSON", () => {
  const time = integer({ min: 1_000_000_000_000, max: 9_999_999_999_999 });
  const status = constantFrom<Status>("completed", "failed", "running");
  const several = tuple(time, time, status, integer({ min: 1, max: 1_000_000 }));
  const mixed = tuple(time, time, status, integer({ min: 2, max: 99 }), record({ completed: integer({ min: 1 }) }));
  const names = string({ unit: "binary", maxLength: 20 });
  const lanes = names.chain((name) => {
    const id = time.map((at) => `${name}@${new Date(at).toISOString().slice(-24)}`);
    const one = tuple(time, time, status, integer({ min: 1, max: 1 }), id);
    const mark = record({ at: time, what: constantFrom("pause", "hold"), text: string({ unit: "binary" }) });
    const lane = { bars: array(oneof(several, one, mixed)), marks: option(array(mark), { nil: undefined }) };
    return record(lane).map(({ bars, marks }) => ({
      name,
      bars: bars as Bar[],
      ticks: [],
      ...(marks && { marks }),
    }));
  });
  void assert(
    property(lanes, (lane) => {
      const size = JSON.stringify({ lane }).length;
      expect(sizeOf(lane)).toBeGreaterThanOrEqual(size);
      expect(sizeOf(lane)).toBeLessThanOrEqual(size + 2);
    }),
  );
});
