import { describe, expect, test } from "vitest";
import { Simulation } from "../testing/simulation/simulation.js";

/*
 *   OJM_SEEDS=500 npx vitest run packages/core/src/jobs/simulation.test.ts                  more seeds;
 * from OJM_SEED on
 *   OJM_SEED=17 OJM_LENGTH=8000 npx vitest run packages/core/src/jobs/simulation.test.ts    that seed
 */
const { OJM_SEED, OJM_SEEDS, OJM_LENGTH } = process.env;

/** In ms: long enough for rare chains of faults; and short, for many different beginnings. */
const LONG = 40_000;
const SHORT = 8_000;
const BATCH = 100;

const long = Number(OJM_SEEDS ?? 20);
const batches = OJM_SEEDS === undefined ? 12 : Math.ceil(Number(OJM_SEEDS) / BATCH);
/** The seeds of `npm test`, and those that it leaves to `npm run test:all`. */
const parts = [
  { tags: [], longs: [0, 4], shorts: [1, 2] },
  { tags: ["full"], longs: [4, long], shorts: [2, batches] },
] as const;
const FIRST = Number(OJM_SEED ?? 1);

/** The numbers from the first up to the second, exclusive. */
function range([from, to]: readonly [from: number, to: number]): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}

async function simulate(seed: number, length: number): Promise<void> {
  const simulation = new Simulation(seed, { length });
  try {
    await simulation.run();
  } catch (error) {
    console.error(`OJM_SEED=${seed} OJM_LENGTH=${length}\n${simulation.timeline.slice(-80).join("\n")}`);
    throw error;
  }
}

describe("the simulation", () => {
  if (OJM_SEED !== undefined && OJM_SEEDS === undefined) {
    test(`locks have one holder at a time and every run is closed once: seed ${OJM_SEED}`, () =>
      simulate(Number(OJM_SEED), Number(OJM_LENGTH ?? LONG)));
    return;
  }
  test("the simulation produces every kind of fault and event", { tags: ["full"] }, async () => {
    const faults = ["request lost", "reply lost", "refused", "slow reply", "late", "doubled"];
    const events = [
      " dies",
      " closes",
      " hands over ",
      " stands still",
      " is cut off",
      " finds the store full",
      " unlocks ",
      " cancels ",
      " holds ",
      " skips ",
      " gets result of ",
      " back",
      ", for attempt 3",
      " is restarted",
      " has forgotten ",
    ];
    let missing = [
      ...faults.map((fault) => new RegExp(`commit of .*: ${fault}\\b`)),
      ...events.map((event) => new RegExp(event)),
    ];
    for (let seed = 1; seed <= 100 && missing.length > 0; seed++) {
      const simulation = new Simulation(seed, { length: SHORT });
      await simulation.run();
      const happened = simulation.timeline.join("\n");
      missing = missing.filter((one) => !one.test(happened));
    }
    expect(missing).toEqual([]);
  });
  test("a seed decides on everything that happens in a simulation", async () => {
    const [first, second] = [new Simulation(2, { length: SHORT }), new Simulation(2, { length: SHORT })];
    await first.run();
    await second.run();
    expect(first.timeline.length).toBeGreaterThan(40);
    expect(second.timeline).toEqual(first.timeline);
  });
  for (const { tags, longs, shorts } of parts) {
    test.each(range(longs).map((i) => FIRST + i))(
      "locks have one holder at a time and every run is closed once, whatever happens: seed %i",
      { tags: [...tags] },
      (seed) => simulate(seed, LONG),
    );
    test.each(range(shorts).map((i) => FIRST - 1 + i * BATCH))(
      `locks have one holder at a time and every run is closed once: ${BATCH} short simulations after seed %i`,
      { tags: [...tags] },
      async (before) => {
        for (let seed = before + 1; seed <= before + BATCH; seed++) await simulate(seed, SHORT);
      },
    );
  }
});
