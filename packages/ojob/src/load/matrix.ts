import { isDeepStrictEqual } from "node:util";
import { didYouMean, type Problems } from "../text/problem.js";
import type { Args, JobDefinition, JobFile, Matrix, PlacedArgs, WrittenArgs } from "./job-file.js";
import { child, itemsOf, type Node, toMap, toValue } from "./yaml/node.js";

/** Adds the combinations of the matrix, each with each map of `args`, whose templates see its values. */
export function withMatrix(node: Node | undefined, written: WrittenArgs): WrittenArgs & Pick<JobDefinition, "matrix"> {
  if (node?.kind !== "map") return written;
  const { args, argsAt } = written;
  const matrix = readMatrix(node, argsAt);
  const places = [argsAt, ...matrix.include.map(({ keysAt }) => keysAt)].flatMap((one) => Object.entries(one));
  const axes = matrix.axes.map(({ name, at }) => [name, at] as const);
  const maps = args.length > 0 ? args : [{}];
  return {
    ...written,
    // The values of the matrix come first, and win.
    args: combinations(matrix).flatMap((one) => maps.map((map) => ({ ...one, ...map, ...one }))),
    argsAt: Object.fromEntries([...places, ...axes]),
    matrix,
  };
}

function readMatrix(node: Node & { readonly kind: "map" }, argsAt: WrittenArgs["argsAt"]): Matrix {
  const axes = node.entries.flatMap(({ key: name, keyAt: at, value }) =>
    name === "include" || name === "exclude" ? [] : [{ name, at, values: itemsOf(value).map(toValue) }],
  );
  const hidden = axes.flatMap(({ name }) => {
    const at = Object.hasOwn(argsAt, name) ? argsAt[name] : undefined;
    return at === undefined ? [] : [{ name, at }];
  });
  return {
    at: node.at,
    axes,
    include: placedArgs(child(node, "include")),
    exclude: placedArgs(child(node, "exclude")),
    hidden,
  };
}

function placedArgs(node: Node | undefined): PlacedArgs[] {
  return itemsOf(node).flatMap((item) => {
    if (item.kind !== "map") return [];
    const keysAt = Object.fromEntries(item.entries.map(({ key, keyAt }) => [key, keyAt]));
    return [{ args: toMap(item), at: item.at, keysAt }];
  });
}

const MAX_COMBINATIONS = 1_000;

/** How many combinations the axes of a matrix make, before `exclude` and `include`. */
function productOf({ axes }: Pick<Matrix, "axes">): number {
  return axes.length === 0 ? 0 : axes.reduce((product, { values }) => product * values.length, 1);
}

/**
 * The arguments of each run, as in the matrix of GitHub Actions. A matrix that is too large makes none: the
 * check of the file rejects it.
 *
 * @see https://docs.github.com/en/actions/how-tos/write-workflows/choose-what-workflows-do/run-job-variations
 */
function combinations(matrix: Omit<Matrix, "hidden">): Args[] {
  if (productOf(matrix) > MAX_COMBINATIONS) return [];
  const { axes, include, exclude } = matrix;
  const all = crossed(axes).filter((one) => !exclude.some(({ args }) => hasAll(one, args)));
  const made = all.map((original) => ({ original, whole: original }));
  const further: Args[] = [];
  for (const { args } of include) {
    // It fits a combination if it changes no value of an axis. It may change a value that an earlier one
    // added.
    const fitting = made.filter(({ original }) => hasAll(original, shared(args, original)));
    for (const one of fitting) one.whole = { ...one.whole, ...args };
    if (fitting.length === 0) further.push(args);
  }
  return [...made.map(({ whole }) => whole), ...further];
}

/** All combinations of the values of the axes. The last axis changes first. */
function crossed(axes: Matrix["axes"]): Args[] {
  if (axes.length === 0) return [];
  return axes.reduce<Args[]>(
    (all, { name, values }) => all.flatMap((one) => values.map((value) => ({ ...one, [name]: value }))),
    [{}],
  );
}

function hasAll(combination: Args, args: Args): boolean {
  return Object.entries(args).every(
    ([name, value]) => Object.hasOwn(combination, name) && isDeepStrictEqual(combination[name], value),
  );
}

function shared(args: Args, original: Args): Args {
  return Object.fromEntries(Object.entries(args).filter(([name]) => Object.hasOwn(original, name)));
}

export function checkMatrix(job: JobDefinition, { settings }: JobFile, problems: Problems): void {
  checkLimits(job, settings.numThreads, problems);
  const { matrix, name } = job;
  if (matrix === undefined) return;
  const before = problems.errors.length;
  for (const axis of matrix.axes.filter(({ values }) => values.length === 0)) {
    problems.error(`"${axis.name}" in the matrix of "${name}" has no values, so there is no combination.`, axis.at);
  }
  const product = productOf(matrix);
  if (product > MAX_COMBINATIONS) {
    problems.error(`the matrix of "${name}" has ${product} combinations, at most ${MAX_COMBINATIONS}.`, matrix.at);
  }
  for (const { name: argument, at } of matrix.hidden) {
    problems.error(`"${argument}" stands in the "args" and in the "matrix" of "${name}". Write it once.`, at);
  }
  if (problems.errors.length > before) return;
  checkExclude(name, matrix, problems);
  if (problems.errors.length > before || combinations(matrix).length > 0) return;
  problems.error(`the matrix of "${name}" leaves no combination: the job would never run.`, matrix.at);
}

export function keysOf({ axes, include }: Matrix): readonly string[] {
  return [...new Set([...axes.map(({ name }) => name), ...include.flatMap(({ args }) => Object.keys(args))])];
}

function checkExclude(name: string, { axes, exclude }: Matrix, problems: Problems): void {
  const all = crossed(axes);
  const keys = axes.map((axis) => axis.name);
  for (const { args, at, keysAt } of exclude) {
    const unknown = Object.keys(args).filter((key) => !keys.includes(key));
    for (const key of unknown) {
      const hint = didYouMean(key, keys);
      problems.error(
        `"exclude" names "${key}", which is not a key of the matrix of "${name}".${hint}`,
        keysAt[key] ?? at,
      );
    }
    if (unknown.length === 0 && !all.some((one) => hasAll(one, args))) {
      problems.warn(`this item of "exclude" fits no combination of the matrix of "${name}": it has no effect.`, at);
    }
  }
}

function checkLimits(
  { name, typeArgs, typeArgsAt, at }: JobDefinition,
  threads: number | undefined,
  problems: Problems,
): void {
  const { single = false, maxParallel } = typeArgs;
  if (maxParallel === undefined) return;
  const place = typeArgsAt["maxParallel"] ?? at;
  if (single && maxParallel > 1) {
    problems.error(`"single" runs "${name}" one at a time, and "maxParallel" up to ${maxParallel}. Write one.`, place);
  } else if (threads !== undefined && maxParallel > threads) {
    problems.warn(`"maxParallel" is ${maxParallel}, but "numThreads" lets only ${threads} jobs run at once.`, place);
  }
}
