import { describe } from "vitest";
import { testSeeds } from "../../core/src/testing/simulation/seeds.js";
import { noBug, plantedBugs } from "./testing/simulation/planted-bugs.js";
import { Simulation } from "./testing/simulation/simulation.js";

describe("the simulation of queues", () => {
  testSeeds({
    law: "each item ends once",
    of: "queues",
    simulate: (seed, options) => new Simulation(seed, options),
    noBug,
    bugs: plantedBugs,
    tried: 60,
  });
});
