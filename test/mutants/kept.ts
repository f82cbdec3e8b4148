import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Row } from "./rows.js";
import { filesIn } from "./symbols.js";

/** A mutant made by hand: a fault that the tests once let pass, or one that would be worse than most. */
export interface NamedMutant extends Row {
  readonly name: string;
  /** What goes wrong for a user if the code is like this. */
  readonly why: string;
  /** The tests that must notice it, as the list names them. None: the usual ones. */
  readonly tests: readonly string[];
}

/** A mutant that no test can notice, because the program does the same, or breaks no promise. */
export interface Equivalent extends Row {
  readonly why: string;
}

/** The known facts about mutants of the packages that cannot be derived from their sources. */
export interface Kept {
  readonly named: readonly NamedMutant[];
  readonly equivalent: readonly Equivalent[];
}

const FOLDER = join(import.meta.dirname, "kept");

/**
 * Reads the list of a package. `= test, test` begins the mutants that these tests notice, `= usual` those of
 * the usual tests: three lines each, with the name, what changes and why it matters. `= equivalent` begins
 * those that no test can notice: two lines each.
 */
function parse(pack: string, list: string): Kept {
  const named: NamedMutant[] = [];
  const equivalent: Equivalent[] = [];
  for (const part of list.split(/^= */m).slice(1)) {
    const [head = "", ...rows] = part.split("\n").flatMap((line) => line.trim() || []);
    const areEquivalent = head === "equivalent";
    const tests = head === "usual" ? [] : head.split(/,\s*/);
    for (let i = 0; i < rows.length; i += areEquivalent ? 2 : 3) {
      const [name = "", what = "", why = ""] = areEquivalent ? ["", ...rows.slice(i, i + 2)] : rows.slice(i, i + 3);
      const [, symbol = "", change = ""] = /^(\S+): (.*)$/.exec(what) ?? [];
      if (change === "" || why === "") throw new Error(`test/mutants/kept/${pack}.txt: not a row: ${name} ${what}`);
      if (areEquivalent) equivalent.push({ pack, symbol, change, why });
      else named.push({ name, pack, symbol, change, why, tests });
    }
  }
  return { named, equivalent };
}

/** The kept lists of all packages: a file for each. */
function readKept(): Kept {
  const lists = readdirSync(FOLDER).map((file) =>
    parse(file.replace(/\.txt$/, ""), readFileSync(join(FOLDER, file), "utf8")),
  );
  return {
    named: lists.flatMap(({ named }) => named),
    equivalent: lists.flatMap(({ equivalent }) => equivalent),
  };
}

export const kept: Kept = readKept();

/** Tests that are too slow for each mutant: they start processes or threads, or search the memory. */
export const SLOW: readonly string[] = [
  "packages/core/src/locks/busy.test.ts",
  "packages/core/src/jobs/run/exit.test.ts",
  "packages/core/src/jobs/leaks.test.ts",
  "packages/core/src/jobs/planted-bugs.test.ts",
];

/** Tests that are run last: they find much, and take longer than the others. */
export const LAST: readonly string[] = ["packages/core/src/jobs/simulation.test.ts"];

/**
 * The file of a test that the list names: the end of its path in the package, or its path from the root,
 * without `.test.ts`.
 */
export function testNamed(root: string, pack: string, name: string): string {
  const folder = `packages/${pack}/src`;
  const whole = [`${folder}/${name}.test.ts`, `${name}.test.ts`].find((file) => existsSync(join(root, file)));
  if (whole !== undefined) return whole;
  const found = filesIn(root, folder).filter((file) => file.endsWith(`/${name}.test.ts`));
  const [one] = found;
  if (one !== undefined && found.length === 1) return one;
  const means = found.length > 1 ? found.join(", ") : `no test below ${folder}, and none from the root`;
  throw new Error(`"${name}" in test/mutants/kept/${pack}.txt means ${means}. Write its path, without .test.ts`);
}
