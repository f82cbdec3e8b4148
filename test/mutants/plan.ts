import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { seeded } from "../../packages/core/src/testing/fake-clock.js";
import { kept } from "./kept/index.js";
import { mutantsOf } from "./operators.js";
import type { Equivalent, Mutant, NamedMutant } from "./types.js";

/** All files below a folder, from the root. */
function filesIn(root: string, folder: string): string[] {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
  return names.map((name) => join(folder, name));
}

/** The sources below a folder, or the file itself, from the root: no tests, and no helpers of tests. */
export function sourcesIn(root: string, folder: string): string[] {
  if (folder.endsWith(".ts")) return [folder];
  return filesIn(root, folder)
    .filter(
      (name) => name.endsWith(".ts") && !/\.(test|child|test-d)\.ts$|(^|\/)(testing|dist|node_modules)\//.test(name),
    )
    .sort();
}

/** All mutants of these files, without those that are known to be equivalent. */
export function allMutants(root: string, files: readonly string[]): Mutant[] {
  return files.flatMap((file) => {
    const text = readFileSync(join(root, file), "utf8");
    return mutantsOf(file, text).filter((mutant) => !kept.equivalent.some((it) => isMeant(it, mutant, text)));
  });
}

/** Whether an entry of the list of equivalents means this mutant. Lines move; their text stays. */
export function isMeant(it: Equivalent, mutant: Mutant, text: string): boolean {
  if (it.file !== mutant.file || it.operator !== mutant.operator) return false;
  if (it.line !== undefined && it.line !== lineAt(text, mutant.start)) return false;
  return text.slice(mutant.start, mutant.end).split("\n", 1)[0] === it.text;
}

/** The line of a place, without the blanks around it. */
export function lineAt(text: string, place: number): string {
  const end = text.indexOf("\n", place);
  return text.slice(text.lastIndexOf("\n", place - 1) + 1, end < 0 ? text.length : end).trim();
}

/** A mutant of the kept list. Throws where it can no longer be made. */
export function fromNamed(root: string, { name, file, search, replace }: NamedMutant): Mutant {
  const text = readFileSync(join(root, file), "utf8");
  const start = text.indexOf(search);
  if (start < 0 || text.indexOf(search, start + 1) >= 0) {
    throw new Error(
      `the mutant "${name}": what it replaces stands in ${file} not exactly once. Mend it in test/mutants/kept`,
    );
  }
  return { file, name, operator: "named", start, end: start + search.length, replacement: replace };
}

/**
 * Chooses `count` of them by a seed, of each file in turn: no file goes without, also where the run is ended
 * early.
 */
export function sample(mutants: readonly Mutant[], count: number, seed: number): Mutant[] {
  const chance = seeded(seed);
  const byFile = new Map<string, Mutant[]>();
  for (const mutant of mutants) byFile.set(mutant.file, [...(byFile.get(mutant.file) ?? []), mutant]);
  const heaps = [...byFile.values()];
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
 * then those of the folders that it is in; with `thorough`, those of what is made of it, too.
 */
export function testsOf(root: string, { file }: Pick<Mutant, "file">, thorough: boolean): string[] {
  const own = file.replace(/\.ts$/, ".test.ts");
  const folder = dirname(file);
  const source = join(...file.split("/").slice(0, 3));
  // Those of what it is made from tell nothing of it.
  const below = new Set([...reach(root, file)].map((it) => dirname(it)));
  const isAround = (test: string): boolean => dirname(test) !== source && `${folder}/`.startsWith(`${dirname(test)}/`);
  const rank = (test: string): number => {
    if (kept.last.includes(test)) return 4;
    if (test === own) return 0;
    if (dirname(test) === folder) return 1;
    return isAround(test) ? 2 : 3;
  };
  return filesIn(root, source)
    .filter((name) => name.endsWith(".test.ts") && (thorough || name === own || !kept.slow.includes(name)))
    .filter((test) => thorough || rank(test) < 3)
    .filter(
      (test) =>
        reach(root, test).has(file) && (isAround(test) || dirname(test) === folder || !below.has(dirname(test))),
    )
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

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
      next.push(`${join(dirname(one), path)}.ts`);
    }
  }
  reached.set(file, all);
  return all;
}
