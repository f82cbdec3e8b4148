import { type Case, isIn } from "../case/case.js";
import type { Profile } from "../case/profile.js";
import { groups } from "../cases/index.js";
import type { Harness } from "../harness/harness.js";
import type { CaseResult, RunReport } from "./result.js";
import { runCase } from "./run-case.js";

/** What to run, and how. */
export interface SuiteOptions {
  /** Default: full. */
  readonly profile?: Profile;
  /** The same seed makes the same choices. Default: a random one. */
  readonly seed?: number;
  /** Run only these cases, by name (`CAS-017`) or group (`CAS`), whatever the profile. */
  readonly only?: readonly string[];
}

/**
 * The cases of a run with `options`, by group. Throws a `RangeError` if `only` names neither a case nor a
 * group.
 */
export function select(
  options: Pick<SuiteOptions, "profile" | "only">,
): { readonly title: string; readonly cases: readonly Case[] }[] {
  const { profile = "full", only = [] } = options;
  const chosen = (it: Case, prefix: string): boolean =>
    only.length === 0 ? isIn(it, profile) : only.includes(it.id) || only.includes(prefix);
  for (const name of only) {
    if (groups.some(({ prefix, cases }) => prefix === name || cases.some(({ id }) => id === name))) continue;
    throw new RangeError(`there is no case and no group "${name}"`);
  }
  return groups
    .map(({ prefix, title, cases }) => ({ title, cases: cases.filter((it) => chosen(it, prefix)) }))
    .filter(({ cases }) => cases.length > 0);
}

/**
 * Throws a `RangeError` if the harness lists a known failure of a case that does not exist: such an entry
 * could never fail the run.
 */
export function checkKnownFailures({ knownFailures = {} }: Harness): void {
  for (const id of Object.keys(knownFailures)) {
    if (groups.some(({ cases }) => cases.some((it) => it.id === id))) continue;
    throw new RangeError(`"${id}" is listed as a known failure, but there is no such case`);
  }
}

/** A random seed, for a run without one. */
export function anySeed(): number {
  return Math.floor(Math.random() * 2 ** 31);
}

/**
 * Runs the suite without a test runner, and closes the harness at the end. Calls `onResult` with each result
 * as it comes. Rejects with a `RangeError` if `only` or `knownFailures` names a case that does not exist.
 */
export async function run(
  harness: Harness,
  options: SuiteOptions = {},
  onResult: (result: CaseResult) => void = () => {},
): Promise<RunReport> {
  const { profile = "full", seed = anySeed() } = options;
  checkKnownFailures(harness);
  const results: CaseResult[] = [];
  try {
    for (const { cases } of select(options)) {
      for (const it of cases) {
        const result = await runCase(harness, it, { profile, seed });
        results.push(result);
        onResult(result);
      }
    }
  } finally {
    await harness.close?.();
  }
  return { backend: harness.name, profile, seed, results };
}
