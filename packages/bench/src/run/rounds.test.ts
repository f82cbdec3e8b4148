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
  const measured = await measureInRounds([contestant("a"), contestant("b")], load, { count: 100, rounds: 3 });
  expect(calls).toEqual(["warm up a 100", "warm up b 100", "a 100", "b 100", "b 100", "a 100", "a 100", "b 100"]);
  expect(measured.map(({ rounds }) => rounds.map(({ wall }) => wall))).toEqual([
    [3, 6, 7],
    [4, 5, 8],
  ]);
  expect(measured.map(({ allocated }) => allocated)).toEqual([25, 25]);
});
