import type { NamedMutant } from "../types.js";

type Row = readonly [name: string, search: string, replace: string, why: string];

/** Named mutants of one file, all noticed by the same tests. */
export const of = (file: string, tests: readonly string[], ...rows: readonly Row[]): NamedMutant[] =>
  rows.map(([name, search, replace, why]) => ({ name, file, search, replace, why, tests }));
