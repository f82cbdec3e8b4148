import { expect, it } from "vitest";
import { goalOf, goalText } from "./goals.js";
import { linesOf } from "./lines.js";
import { comparisonsOf, median, spread } from "./statistics.js";
import { aGroup } from "./testing/sample.js";

it("the median of an even number of rounds lies between the two in the middle", () => {
  expect(median([4, 1, 3])).toBe(3);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(spread([3, 1, 2])).toEqual({ median: 2, least: 1, most: 3 });
});

it("a ratio is formed within a round, of client and server together", () => {
  // The second round ran beside other work, which slowed down both.
  const [floor, ...rest] = comparisonsOf(
    aGroup({
      ojm: [
        { wall: 100, client: 60, server: 30 },
        { wall: 1000, client: 120, server: 60 },
      ],
      floor: [
        { wall: 50, client: 40, server: 20 },
        { wall: 500, client: 80, server: 40 },
      ],
    }),
  );
  expect(rest).toEqual([]);
  expect(floor?.cpu).toEqual({ median: 1.5, least: 1.5, most: 1.5 });
  expect(floor?.wall.median).toBe(2);
  expect(floor?.more).toEqual({ median: 45, least: 30, most: 60 });
});

it("a ratio is of the main thread where the system reports it, and of all threads beside it", () => {
  const [floor] = comparisonsOf(
    aGroup({
      ojm: [{ wall: 1, client: 90, main: 50, server: 10 }],
      floor: [{ wall: 1, client: 40, main: 30, server: 10 }],
    }),
  );
  expect(floor?.cpu.median).toBe(1.5);
  expect(floor?.all.median).toBe(2);
  expect(floor?.more.median).toBe(20);
});

it("a store without a backend of ours is compared with nothing", () => {
  const group = aGroup({ "pg-boss": [{ wall: 2_000, client: 400, server: 600 }] }, { store: "queue" });
  expect(comparisonsOf(group)).toEqual([]);
  expect(linesOf(group)).toEqual([expect.stringMatching(/^queue +pg-boss .*CPU 1000 µs, wall 2000 µs a run$/)]);
});

it("the goal is of CPU near the server, of the wall time far from it, and of microseconds in memory", () => {
  const goal = (...group: Parameters<typeof aGroup>): string => {
    const [comparison] = comparisonsOf(aGroup(...group));
    return comparison === undefined ? "none" : goalText(goalOf(comparison));
  };
  const cost = (wall: number, cpu: number) => [{ wall, client: cpu, server: 0 }];
  expect(goal({ ojm: cost(9, 110), redlock: cost(1, 100) })).toBe("goal 1.1, met");
  expect(goal({ ojm: cost(9, 111), redlock: cost(1, 100) })).toBe("goal 1.1, over");
  const far = { network: "0.5 ms each way" } as const;
  expect(goal({ ojm: cost(5, 300), redlock: cost(10, 100) }, far)).toBe("goal 0.6 of wall, met");
  const simple = { store: "simple" } as const;
  expect(goal({ ojm: cost(9, 7), floor: cost(1, 2) }, simple)).toBe("goal ≤ 5 µs more, met");
  expect(goal({ ojm: cost(9, 8), floor: cost(1, 2) }, simple)).toBe("goal ≤ 5 µs more, over");
  const many = { load: { what: "set", width: 50 } } as const;
  expect(goal({ ojm: cost(9, 120), floor: cost(1, 100) }, many)).toBe("goal 1.15, over");
  expect(goal({ ojm: cost(9, 120), floor: cost(1, 100) }, { ...many, store: "etcd" })).toBe("goal 1.3, met");
  expect(goal({ ojm: cost(9, 90), "redis-semaphore": cost(1, 100) })).toBe("");
});
