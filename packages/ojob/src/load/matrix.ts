import { isDeepStrictEqual } from "node:util";
import type { Args, Matrix } from "./job-file.js";

/** The most combinations of one matrix. */
export const MOST_COMBINATIONS = 1_000;

/** How many combinations the axes of a matrix make, before `exclude` and `include`. */
export function productOf({ axes }: Pick<Matrix, "axes">): number {
  return axes.length === 0 ? 0 : axes.reduce((product, { values }) => product * values.length, 1);
}

/**
 * The arguments of each run, as in the matrix of GitHub Actions. Of a matrix that is too large there are
 * none: the check of the file refuses it.
 *
 * @see https://docs.github.com/en/actions/how-tos/write-workflows/choose-what-workflows-do/run-job-variations
 */
export function combinations(matrix: Omit<Matrix, "hidden">): Args[] {
  if (productOf(matrix) > MOST_COMBINATIONS) return [];
  const { axes, include, exclude } = matrix;
  const all = crossed(axes).filter((one) => !exclude.some(({ args }) => hasAll(one, args)));
  const originals = all.map((original) => ({ original, added: [] as [string, unknown][] }));
  const further: Args[] = [];
  for (const { args } of include) {
    // It fits where it changes no value of an axis. It may change what an earlier one added.
    const fitting = originals.filter(({ original }) => hasAll(original, shared(args, original)));
    for (const { added } of fitting) added.push(...Object.entries(args));
    if (fitting.length === 0) further.push(args);
  }
  const whole = originals.map(({ original, added }) => Object.fromEntries([...Object.entries(original), ...added]));
  return [...whole, ...further];
}

/** All combinations of the values of the axes. The last axis changes first. */
export function crossed(axes: Matrix["axes"]): Args[] {
  if (axes.length === 0) return [];
  return axes.reduce<Args[]>(
    (all, { name, values }) =>
      all.flatMap((one) => values.map((value) => Object.fromEntries([...Object.entries(one), [name, value]]))),
    [{}],
  );
}

/** Whether a combination has all these values. */
export function hasAll(combination: Args, args: Args): boolean {
  return Object.entries(args).every(
    ([name, value]) => Object.hasOwn(combination, name) && isDeepStrictEqual(combination[name], value),
  );
}

/** Those of the arguments that the combination has too. */
function shared(args: Args, original: Args): Args {
  return Object.fromEntries(Object.entries(args).filter(([name]) => Object.hasOwn(original, name)));
}
