import { describe, expect, test } from "vitest";
import { plantedBugs } from "../testing/planted-bugs.js";
import { Simulation } from "../testing/simulation.js";

/** So many seeds are tried. A simulation that needs more of them would find nothing of the kind in our own code. */
const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1);

describe("the simulation finds what others shipped", () => {
  test.each(plantedBugs)("$name", async (bug) => {
    const said: string[] = [];
    for (const seed of SEEDS) {
      const simulation = new Simulation(seed, { bug });
      try {
        await simulation.run();
      } catch (error) {
        said.push((error as Error).message);
        if (bug.caughtAs.test((error as Error).message)) return;
      }
    }
    expect(said).toContainEqual(expect.stringMatching(bug.caughtAs));
  });
});
