import { describe, expect, test } from "vitest";
import { plantedLogBugs } from "../testing/simulation/logs/planted-bugs.js";
import { noBug, type PlantedBug, plantedBugs } from "../testing/simulation/planted-bugs.js";
import { plantedRetentionBugs } from "../testing/simulation/planted-retention-bugs.js";
import { plantedRollupBugs } from "../testing/simulation/rollups/planted-bugs.js";
import { Simulation } from "../testing/simulation/simulation.js";

/** The seeds to try. A simulation that needs more of them would find no such bug in our own code. */
const SEEDS = Array.from({ length: 30 }, (_, i) => i + 1);

/** The findings of the simulation for each seed, up to the expected one. */
async function search(bug: PlantedBug): Promise<string[]> {
  const said: string[] = [];
  for (const seed of SEEDS) {
    try {
      await new Simulation(seed, { bug }).run();
    } catch (error) {
      const { message } = error as Error;
      said.push(message);
      if (bug.caughtAs.test(message)) break;
    }
  }
  return said;
}

/** Each group of bugs, with the one that `npm test` plants: a few seeds find it. */
const groups: readonly (readonly [readonly PlantedBug[], string])[] = [
  [plantedBugs, "a close frees the locks of bodies that are still running"],
  [plantedLogBugs, "a line of a log is lost and not counted"],
  [plantedRollupBugs, "a record that appears behind the cursor of the fold is overlooked"],
  [plantedRetentionBugs, "the retention goes by the clock of its process alone"],
];

describe("the simulation", () => {
  // These bugs test the simulation, not the product: one of each group shows that its laws are checked.
  for (const [bugs, quick] of groups) {
    if (!bugs.some(({ name }) => name === quick)) throw new Error(`no planted bug is named "${quick}"`);
    for (const bug of bugs) {
      test(`the simulation finds a planted bug: ${bug.name}`, {
        tags: bug.name === quick ? [] : ["full"],
      }, async () => {
        expect(await search(bug)).toContainEqual(expect.stringMatching(bug.caughtAs));
      });
    }
  }

  test("the simulation finds no bug where none is planted", { tags: ["full"] }, async () => {
    expect(await search(noBug)).toEqual([]);
  });
});
