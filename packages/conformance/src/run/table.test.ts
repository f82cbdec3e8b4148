import { expect, it } from "vitest";
import type { CaseResult, Outcome, RunReport } from "./result.js";
import { table } from "./table.js";

function report(backend: string, outcomes: Readonly<Record<string, Outcome>>): RunReport {
  const results = Object.entries(outcomes).map(
    ([id, outcome]): CaseResult => ({ id, law: `The law of ${id}.`, outcome, ms: 1 }),
  );
  return { backend, profile: "full", seed: 1, results };
}

it("the table of results has a line for each case and a column for each backend, and marks what failed", () => {
  const reports = [
    report("one", { "A-1": "pass", "A-2": "refused" }),
    report("two", { "A-1": "fail", "A-2": "known", "B-1": "skipped" }),
  ];
  expect(table(reports).split("\n")).toEqual([
    "| case | law | one | two |",
    "| --- | --- | --- | --- |",
    "| A-1 | The law of A-1. | pass | **FAIL** |",
    "| A-2 | The law of A-2. | refused | known |",
    "| B-1 | The law of B-1. |  | – |",
    "|  | in all | 1 pass, 1 refused | 0 pass, 1 known, 1 failed |",
    "",
  ]);
});
