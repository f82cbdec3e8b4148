import { writeFileSync } from "node:fs";
import { type Case, capOf } from "../case/case.js";
import type { Harness } from "../harness/harness.js";
import { toJson } from "./print.js";
import type { CaseResult, RunReport } from "./result.js";
import { anySeed, checkKnownFailures, type SuiteOptions, select } from "./run.js";
import { runCase } from "./run-case.js";

/** The two functions that every test runner has. */
export interface Runner {
  describe(title: string, body: () => void): unknown;
  it(title: string, body: (this: unknown, ...context: unknown[]) => Promise<void>, timeout?: number): unknown;
}

/** Options of {@link register}. */
export interface RegisterOptions extends SuiteOptions {
  /** The file to which the report is written after the last case. */
  readonly json?: string;
}

/**
 * Makes each case a test of the runner: vitest, node:test, mocha, or any that has `describe` and `it`.
 * Returns the report at once, and adds the results to it as the tests run.
 *
 * @example
 * import { describe, it } from "node:test";
 * register({ describe, it }, harness, { profile: "full" });
 */
export function register({ describe, it }: Runner, harness: Harness, options: RegisterOptions = {}): RunReport {
  const { profile = "full", seed = anySeed() } = options;
  checkKnownFailures(harness);
  const results: CaseResult[] = [];
  const report: RunReport = { backend: harness.name, profile, seed, results };
  describe(`conformance of ${harness.name} (${profile}, seed ${seed})`, () => {
    for (const { title, cases } of select(options)) {
      describe(title, () => {
        for (const one of cases) {
          // Make the timeout of the runner longer than the cap of the case: the error of the cap says what
          // did not end.
          const cap = capOf(one, profile) + 60_000;
          // Declare no parameter: mocha would take it for a callback and wait for it.
          const body = async function (this: unknown, ...[context]: unknown[]): Promise<void> {
            giveTime(this, cap);
            const result = await runCase(harness, one, { profile, seed });
            results.push(result);
            conclude(one, result, this, context);
          };
          it(`${one.id} ${one.law}`, body, cap);
        }
      });
    }
    // Mocha runs the tests of a group before its inner groups: without a group of its own, this would close
    // the harness before the cases run.
    describe("afterwards", () => {
      it("stops what the harness started", async () => {
        await harness.close?.();
        if (options.json !== undefined) writeFileSync(options.json, toJson(report));
      });
    });
  });
  return report;
}

/** Mocha accepts a longer timeout only from inside the test. */
function giveTime(test: unknown, ms: number): void {
  if (hasMembers(test) && typeof test["timeout"] === "function") test["timeout"](ms);
}

function conclude(it: Case, result: CaseResult, test: unknown, context: unknown): void {
  if (result.outcome === "fail") throw result.error ?? new Error(`${it.id}: ${result.reason}`);
  if (result.outcome !== "skipped" && result.outcome !== "known") return;
  for (const runner of [context, test]) {
    if (hasMembers(runner) && typeof runner["skip"] === "function") return void runner["skip"](result.reason);
  }
}

function hasMembers(value: unknown): value is Record<string, unknown> {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
