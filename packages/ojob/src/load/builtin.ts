import { SourceFile } from "../source.js";
import type { JobDefinition } from "./jobfile.js";

/** The files that every job file can include without having them. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  "oJobManager.yaml": ["oJobManager Init", "oJobManager Job Start", "oJobManager Job End", "oJobManager Error"],
  "oJobBasics.yaml": [],
};

/** The jobs that come with ojm under that file name; `undefined` if there is no such file. */
export function builtinJobs(file: string): readonly JobDefinition[] | undefined {
  const names = Object.hasOwn(FILES, file) ? FILES[file] : undefined;
  if (names === undefined) return undefined;
  const source = new SourceFile(file, file, "");
  return names.map((name) => ({
    name,
    at: { source, line: 1, column: 1 },
    args: [],
    argsAt: {},
    from: [],
    to: [],
    catch: [],
    deps: [],
    each: [],
    type: "simple" as const,
    typeArgs: {},
    typeArgsAt: {},
    check: {},
    builtin: name,
  }));
}

/** The names of the files that come with ojm. */
export function builtinFiles(): string[] {
  return Object.keys(FILES);
}

/** The built-in file that a job of this name comes from, for the hint to include it. */
export function builtinFileOf(job: string): string | undefined {
  return Object.keys(FILES).find((file) => FILES[file]?.includes(job));
}
