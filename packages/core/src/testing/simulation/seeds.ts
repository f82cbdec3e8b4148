import { expect, test } from "vitest";

/*
 * The tests of a simulation in which a seed decides on everything. For its test file:
 *   OJM_SEEDS=500 npx vitest run FILE    more seeds; from OJM_SEED on
 *   OJM_SEED=17 npx vitest run FILE      that seed
 */
const { OJM_SEED, OJM_SEEDS } = process.env;

const SEEDS = Array.from({ length: Number(OJM_SEEDS ?? 30) }, (_, i) => Number(OJM_SEED ?? 1) + i);

/** The number of seeds, and of planted bugs, of `npm test`. The others are left to `npm run test:all`. */
const FIRST = 6;
const FIRST_BUGS = 3;

interface Simulated {
  readonly timeline: readonly string[];
  run(): Promise<void>;
}

interface SeedTests<Bug> {
  /** The name of the test of a seed: what holds for each. */
  readonly law: string;
  /** What is simulated, for the names of the other tests. */
  readonly of: string;
  readonly simulate: (seed: number, options?: { readonly bug?: Bug }) => Simulated;
  /** The setup of a planted bug: what finds a bug there finds none here. */
  readonly noBug: Bug;
  readonly bugs: readonly Bug[];
  /** The number of seeds to try for a planted bug. */
  readonly tried: number;
  /** Further tests, unless one seed alone is run. */
  readonly more?: () => void;
}

/** Declares the tests of a simulation. */
export function testSeeds<Bug extends { readonly name: string; readonly caughtAs: RegExp }>(
  tests: SeedTests<Bug>,
): void {
  const { law, of, simulate, noBug, bugs, tried, more } = tests;
  process.setMaxListeners(50);
  const holds = async (seed: number): Promise<void> => {
    const simulation = simulate(seed, { bug: noBug });
    try {
      await simulation.run();
    } catch (error) {
      console.error(`OJM_SEED=${seed}\n${simulation.timeline.slice(-60).join("\n")}`);
      throw error;
    }
  };
  /** The findings of the simulation for each seed, up to the expected one. */
  const search = async (bug: Bug): Promise<string[]> => {
    const found: string[] = [];
    for (let seed = 1; seed <= tried; seed++) {
      try {
        await simulate(seed, { bug }).run();
      } catch (error) {
        found.push((error as Error).message);
        if (bug.caughtAs.test((error as Error).message)) break;
      }
    }
    return found;
  };
  if (OJM_SEED !== undefined && OJM_SEEDS === undefined) {
    test(`${law}: seed ${OJM_SEED}`, () => holds(Number(OJM_SEED)));
    return;
  }
  for (const [i, seed] of SEEDS.entries())
    test(`${law}, whatever happens: seed ${seed}`, { tags: i < FIRST ? [] : ["full"] }, () => holds(seed));
  test(`a seed of ${of} decides on everything that happens`, async () => {
    const [first, second] = [simulate(4), simulate(4)];
    await first.run();
    await second.run();
    expect(first.timeline.length).toBeGreaterThan(50);
    expect(second.timeline).toEqual(first.timeline);
  });
  // These bugs test the simulation, not the product: the first ones show that its laws are checked.
  for (const [i, bug] of bugs.entries())
    test(`finds a planted bug of ${of}: ${bug.name}`, { tags: i < FIRST_BUGS ? [] : ["full"] }, async () => {
      expect(await search(bug)).toContainEqual(expect.stringMatching(bug.caughtAs));
    });
  more?.();
}
