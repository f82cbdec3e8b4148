import { describe, test } from "vitest";
import { Simulation } from "../testing/simulation.js";

/*
 *   OJM_SEEDS=500 npx vitest run packages/core/src/jobs/simulation.test.ts     more of them
 *   OJM_SEED=17 npx vitest run packages/core/src/jobs/simulation.test.ts       that one
 */
const SEEDS = process.env["OJM_SEED"]
  ? [Number(process.env["OJM_SEED"])]
  : Array.from({ length: Number(process.env["OJM_SEEDS"] ?? 30) }, (_, i) => i + 1);

describe("whatever happens, one at a time, and every run is closed once", () => {
  test.each(SEEDS)("seed %i", async (seed) => {
    const simulation = new Simulation(seed);
    try {
      await simulation.run();
    } catch (error) {
      console.error(`seed ${seed}:\n${simulation.timeline.slice(-80).join("\n")}`);
      throw error;
    }
  });
});
