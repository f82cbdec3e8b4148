import { nearest } from "@ojm/core/internal";
import type { JobDefinition, JobFile, Matrix } from "../../load/job-file.js";
import { combinations, crossed, hasAll, MOST_COMBINATIONS, productOf } from "../../load/matrix.js";
import type { Problems } from "../../text/problem.js";

/** Finds what is wrong with the matrix of a job, and with how many runs of it go on at once. */
export function checkMatrix(job: JobDefinition, { settings }: JobFile, problems: Problems): void {
  checkLimits(job, settings.numThreads, problems);
  const { matrix, name } = job;
  if (matrix === undefined) return;
  const before = problems.errors.length;
  for (const axis of matrix.axes.filter(({ values }) => values.length === 0)) {
    problems.error(`"${axis.name}" in the matrix of "${name}" has no values, so there is no combination.`, axis.at);
  }
  const product = productOf(matrix);
  if (product > MOST_COMBINATIONS) {
    problems.error(`the matrix of "${name}" has ${product} combinations, at most ${MOST_COMBINATIONS}.`, matrix.at);
  }
  for (const { name: argument, at } of matrix.hidden) {
    problems.error(`"${argument}" stands in the "args" and in the "matrix" of "${name}". Write it once.`, at);
  }
  if (problems.errors.length > before) return;
  checkExclude(name, matrix, problems);
  if (problems.errors.length > before || combinations(matrix).length > 0) return;
  problems.error(`the matrix of "${name}" leaves no combination: the job would never run.`, matrix.at);
}

/** The arguments that a matrix sets. */
export function keysOf({ axes, include }: Matrix): readonly string[] {
  return [...new Set([...axes.map(({ name }) => name), ...include.flatMap(({ args }) => Object.keys(args))])];
}

function checkExclude(name: string, { axes, exclude }: Matrix, problems: Problems): void {
  const all = crossed(axes);
  const keys = axes.map((axis) => axis.name);
  for (const { args, at, keysAt } of exclude) {
    const unknown = Object.keys(args).filter((key) => !keys.includes(key));
    for (const key of unknown) {
      const near = nearest(key, keys);
      const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
      problems.error(`"exclude" names "${key}", which is no key of the matrix of "${name}".${hint}`, keysAt[key] ?? at);
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
