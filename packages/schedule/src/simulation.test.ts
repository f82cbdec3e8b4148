import { describe, expect, test } from "vitest";
import { testSeeds } from "../../core/src/testing/simulation/seeds.js";
import { noBug, plantedBugs } from "./testing/simulation/planted-bugs.js";
import { Simulation } from "./testing/simulation/simulation.js";

describe("the simulation of schedulers", () => {
  testSeeds({
    law: "each tick has one outcome and is run once",
    of: "schedulers",
    simulate: (seed, options) => new Simulation(seed, options),
    noBug,
    bugs: plantedBugs,
    // The rarest bug shows in about one of six.
    tried: 30,
    more: () => {
      test("produces every kind of outcome", { tags: ["full"] }, async () => {
        const all = ["backfill", "not-latest", "overlap", "paused", "policy", "replaced", "run", "too-many"];
        const missing = new Set(all);
        for (let seed = 1; seed <= 48 && missing.size > 0; seed++) {
          const simulation = new Simulation(seed);
          await simulation.run();
          for (const name of simulation.witness.names) {
            for (const { value } of simulation.witness.seen(name).outcomes.values()) {
              missing.delete(value.evidence?.["backfill"] === undefined ? (value.reason ?? value.outcome) : "backfill");
            }
          }
        }
        expect([...missing]).toEqual([]);
      });
    },
  });
});
