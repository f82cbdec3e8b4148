import { describe, expect, it } from "vitest";
import { groups } from "../../cases/index.js";
import { runCase } from "../../run/run-case.js";
import { simulated } from "../simulated/harness.js";
import { bugs } from "./index.js";

const cases = groups.flatMap((group) => group.cases);

/** A bug must be found with every seed: one that is found only by luck does not count. */
const SEEDS = [1, 2, 3];

describe("planted bugs", () => {
  for (const bug of bugs) {
    it(`the case ${bug.killedBy} finds the planted bug: ${bug.name}`, async () => {
      const killer = cases.find(({ id }) => id === bug.killedBy);
      if (killer === undefined) throw new Error(`there is no case ${bug.killedBy}`);
      for (const seed of SEEDS) {
        const result = await runCase(simulated(bug.name, bug), killer, { profile: "smoke", seed, patience: 500 });
        expect(result).toMatchObject({ id: bug.killedBy, outcome: "fail" });
      }
    });
  }
});
