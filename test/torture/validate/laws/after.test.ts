import { describe, expect, it } from "vitest";
import { evidenceOf, memberWith, runEvents } from "../hand-made.js";
import type { Evidence } from "../verdict.js";
import { judgeRest } from "./after.js";

/** In the journals made by hand, the wall clock shows 0 when the first run is requested, at 99. */
const BEGAN = 99;

function withOpenRun(startTime: number, strayRecords?: Evidence["scene"]["strayRecords"]): Evidence {
  const events = runEvents("1", { since: BEGAN + 1, exit: 200, settled: [201, "completed"] });
  const evidence = evidenceOf([memberWith([...events, { e: "closed", t: 300 }])]);
  const stock = { left: [`the run ${startTime} of a is open, without a lock`], unreadable: [], records: [] };
  return { ...evidence, scene: Object.assign(evidence.scene, { strayRecords }), stock };
}

describe("open runs that are left", () => {
  it("an open run that is left is a violation", () => {
    expect(judgeRest(withOpenRun(500))).toMatchObject([{ law: "nothing left" }]);
  });

  it("an open run that is left is not a violation if its lock was lost with a master that took it alone", () => {
    const strayRecords = { from: BEGAN + 400, to: BEGAN + 600 };
    expect(judgeRest(withOpenRun(500, strayRecords))).toEqual([]);
    expect(judgeRest(withOpenRun(300, strayRecords))).toMatchObject([{ law: "nothing left" }]);
    expect(judgeRest(withOpenRun(700, strayRecords))).toMatchObject([{ law: "nothing left" }]);
  });
});
