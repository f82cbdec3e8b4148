import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { seeded } from "../../packages/core/src/testing-kit/test-clock.js";
import { testsReaching } from "../../scripts/lib/affected.mjs";
import { ALONE, leftWhole } from "../../scripts/lib/test-files.mjs";
import { kept, LAST, SLOW } from "./kept.js";
import { mutantsOf } from "./operators.js";
import { mutantOf } from "./rows.js";
import { filesIn } from "./symbols.js";
import type { Mutant } from "./types.js";

/** All mutants of these files, without those that are known to be equivalent. */
export function allMutants(root: string, files: readonly string[]): Mutant[] {
  const known = new Set(kept.equivalent.map((it) => idOf(mutantOf(root, it, it.symbol))));
  return files.flatMap((file) =>
    mutantsOf(file, readFileSync(join(root, file), "utf8")).filter((mutant) => !known.has(idOf(mutant))),
  );
}

function idOf({ file, operator, start, end }: Mutant): string {
  return [file, operator, start, end].join("\n");
}

/**
 * Chooses `count` of them by a seed, of each file in turn: no file goes without, also where the run is ended
 * early. If there are more files, the seed chooses these, too.
 */
export function sample(mutants: readonly Mutant[], count: number, seed: number): Mutant[] {
  const chance = seeded(seed);
  const byFile = new Map<string, Mutant[]>();
  for (const mutant of mutants) byFile.set(mutant.file, [...(byFile.get(mutant.file) ?? []), mutant]);
  const files = [...byFile.values()];
  const isEach = count >= files.length;
  const heaps = Array.from({ length: files.length }, () => {
    return files.splice(isEach ? 0 : Math.floor(chance() * files.length), 1)[0] ?? [];
  });
  const chosen = new Set<Mutant>();
  while (chosen.size < Math.min(count, mutants.length)) {
    for (const heap of heaps) {
      const [one] = heap.splice(Math.floor(chance() * heap.length), 1);
      if (one !== undefined && chosen.size < count) chosen.add(one);
    }
  }
  return [...chosen];
}

/**
 * The tests that a file has part in, the likeliest to notice something first: its own, then its folder's,
 * then those of the folders that it is in; with `thorough`, those of the files that use it, too; with `all`,
 * also those that `npm test` leaves out: `npm test` misses a fault that only these notice. If its package has
 * none of these, all tests that reach it: its package's first, then the nearest.
 */
export function testsOf(root: string, { file }: Pick<Mutant, "file">, options: Breadth): string[] {
  const near = testsOfPackage(root, file, options);
  if (near.length > 0) return near;
  const isOwn = (test: string): number => Number(test.startsWith(join(...file.split("/").slice(0, 2), "/")));
  return testsReaching([file])
    .filter((test) => options.all || !leftOut.includes(test))
    .sort((a, b) => isOwn(b) - isOwn(a));
}

/** How far the search for a mutant's tests goes. */
interface Breadth {
  readonly thorough: boolean;
  readonly all: boolean;
}

/** The tests by process, in their order: those that are alone in one for vitest are alone here, too. */
export function processesOf(tests: readonly string[]): string[][] {
  const shares = (test: string): boolean =>
    /^packages\/(?!openaf\/)[^/]+\/src\//.test(test) && !ALONE.includes(basename(test, ".test.ts"));
  const processes: string[][] = [];
  for (const [i, test] of tests.entries()) {
    const before = tests[i - 1];
    if (before !== undefined && shares(before) && shares(test)) processes.at(-1)?.push(test);
    else processes.push([test]);
  }
  return processes;
}

function testsOfPackage(root: string, file: string, { thorough, all }: Breadth): string[] {
  const own = file.replace(/\.ts$/, ".test.ts");
  const folder = dirname(file);
  const source = join(...file.split("/").slice(0, 3));
  // The tests of the files that it uses do not test it.
  const below = new Set([...reach(root, file)].map((it) => dirname(it)));
  const isAround = (test: string): boolean => dirname(test) !== source && `${folder}/`.startsWith(`${dirname(test)}/`);
  const rank = (test: string): number => {
    if (LAST.includes(test)) return 4;
    if (test === own) return 0;
    if (dirname(test) === folder) return 1;
    return isAround(test) ? 2 : 3;
  };
  return filesIn(root, source)
    .filter((name) => name.endsWith(".test.ts") && (thorough || name === own || !SLOW.includes(name)))
    .filter((name) => all || !leftOut.includes(name))
    .filter((test) => thorough || rank(test) < 3)
    .filter(
      (test) =>
        reach(root, test).has(file) && (isAround(test) || dirname(test) === folder || !below.has(dirname(test))),
    )
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

const leftOut: readonly string[] = leftWhole();

const reached: Map<string, ReadonlySet<string>> = new Map();

/** The files of its package that a file imports, with what they import. */
function reach(root: string, file: string): ReadonlySet<string> {
  const known = reached.get(file);
  if (known !== undefined) return known;
  const all = new Set<string>();
  for (const next = [file]; next.length > 0; ) {
    const one = next.pop() ?? "";
    if (all.has(one)) continue;
    all.add(one);
    for (const [, path = ""] of readFileSync(join(root, one), "utf8").matchAll(/from "(\.[^"]*)\.js"/g)) {
      const imported = `${join(dirname(one), path)}.ts`;
      // A text of a program may look like an import.
      if (existsSync(join(root, imported))) next.push(imported);
    }
  }
  reached.set(file, all);
  return all;
}
