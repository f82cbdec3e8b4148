import { expect, it } from "vitest";
import { type Measurable, measureInRounds } from "./rounds.js";

it("contestants take turns in each round, and each second round goes backwards", async () => {
  const calls: string[] = [];
  const contestant = (name: string): Measurable => ({
    name,
    async warmUp(_, count) {
      calls.push(`warm up ${name} ${count}`);
    },
    async measure(_, count) {
      calls.push(`${name} ${count}`);
      return { wall: calls.length, client: 1, server: 0 };
    },
    allocation: async (_, count) => count,
  });
  const load = { what: "run", width: 1 } as const;
  const [measured = []] = await measureInRounds([contestant("a"), contestant("b")], [load], { count: 100, rounds: 3 });
  expect(calls).toEqual(["warm up a 100", "warm up b 100", "a 100", "b 100", "b 100", "a 100", "a 100", "b 100"]);
  expect(measured.map(({ rounds }) => rounds.map(({ wall }) => wall))).toEqual([
    [3, 6, 7],
    [4, 5, 8],
  ]);
  expect(measured.map(({ allocated }) => allocated)).toEqual([25, 25]);
});

it("in each round a contestant does one load after the other", async () => {
  const calls: string[] = [];
  const contestant = (name: string): Measurable => ({
    name,
    warmUp: async () => {},
    async measure({ what }) {
      calls.push(`${name} ${what}`);
      return { wall: calls.length, client: 1, server: 0 };
    },
    allocation: async () => 0,
  });
  const loads = [
    { what: "add", width: 1 },
    { what: "work", width: 1 },
  ] as const;
  const measured = await measureInRounds([contestant("a"), contestant("b")], loads, { count: 10, rounds: 2 });
  expect(calls).toEqual(["a add", "a work", "b add", "b work", "b add", "b work", "a add", "a work"]);
  expect(measured.map((load) => load.map(({ rounds }) => rounds.map(({ wall }) => wall)))).toEqual([
    [
      [1, 7],
      [3, 5],
    ],
    [
      [2, 8],
      [4, 6],
    ],
  ]);
});
