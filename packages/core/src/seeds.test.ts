import { test } from "vitest";
import { plantedBugs } from "/work/wt/ojob/packages/core/src/testing/planted-bugs.js";
import { Simulation } from "/work/wt/ojob/packages/core/src/testing/simulation.js";
test("x", async () => {
  for (const bug of plantedBugs) {
    const found: number[] = []; const other: string[] = [];
    for (let seed = 1; seed <= 36; seed++) {
      try { await new Simulation(seed, bug).run(); } catch (e) { const m = String((e as Error).message); if (bug.caughtAs.test(m)) found.push(seed); else other.push(seed + ":" + m.slice(0, 60)); }
    }
    console.log(bug.name, "found", found.join(","), "other", other.join(" | "));
  }
}, 900000);
