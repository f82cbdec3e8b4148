import { describe, expect, test } from "vitest";
import { noBug, plantedBugs } from "./testing/simulation/planted-bugs.js";
import { type PlantedBug, Simulation } from "./testing/simulation/simulation.js";

/*
 *   OJM_SEEDS=500 npx vitest run packages/queue/src/simulation.test.ts    more seeds; from OJM_SEED on
 *   OJM_SEED=17 npx vitest run packages/queue/src/simulation.test.ts      that seed
 */
const { OJM_SEED, OJM_SEEDS } = process.env;

const SEEDS = Array.from({ length: Number(OJM_SEEDS ?? 30) }, (_, i) => Number(OJM_SEED ?? 1) + i);

/** The number of seeds of `npm test`. The others are left to `npm run test:all`. */
const FIRST = 6;

/** The number of seeds to try for a planted bug. */
const TRIED = 60;

process.setMaxListeners(50);

/** With the setup of a planted bug, so that the check that finds a bug there finds none here. */
async function simulate(seed: number): Promise<void> {
  const simulation = new Simulation(seed, { bug: noBug });
  try {
    await simulation.run();
  } catch (error) {
    console.error(`OJM_SEED=${seed}\n${simulation.timeline.slice(-60).join("\n")}`);
    throw error;
  }
}

/** The findings of the simulation for each seed, up to the expected one. */
async function search(bug: PlantedBug): Promise<string[]> {
  const found: string[] = [];
  for (let seed = 1; seed <= TRIED; seed++) {
    try {
      await new Simulation(seed, { bug }).run();
    } catch (error) {
      found.push((error as Error).message);
      if (bug.caughtAs.test((error as Error).message)) break;
    }
  }
  return found;
}

describe("the simulation of queues", () => {
  if (OJM_SEED !== undefined && OJM_SEEDS === undefined) {
    test(`each item ends once: seed ${OJM_SEED}`, () => simulate(Number(OJM_SEED)));
    return;
  }
  for (const [i, seed] of SEEDS.entries()) {
    const tags = i < FIRST ? [] : ["full"];
    test(`each item ends once, whatever happens: seed ${seed}`, { tags }, () => simulate(seed));
  }

  test("a seed of queues decides on everything that happens", async () => {
    const [first, second] = [new Simulation(4), new Simulation(4)];
    await first.run();
    await second.run();
    expect(first.timeline.length).toBeGreaterThan(50);
    expect(second.timeline).toEqual(first.timeline);
  });

  // These bugs test the simulation, not the product: the first ones show that its laws are checked.
  for (const [i, bug] of plantedBugs.entries()) {
    const tags = i < 3 ? [] : ["full"];
    test(`finds a planted bug of queues: ${bug.name}`, { tags }, async () => {
      expect(await search(bug)).toContainEqual(expect.stringMatching(bug.caughtAs));
    });
  }
});
