import { SourceFile } from "../source.js";
import { builtinHelp } from "./builtin-help.js";
import type { JobDefinition } from "./jobfile.js";

/** The files that every job file can include without having them. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  "oJobManager.yaml": ["oJobManager Init", "oJobManager Job Start", "oJobManager Job End", "oJobManager Error"],
  "oJobBasics.yaml": [],
};

/** A file that comes with ojm. */
export interface BuiltinFile {
  readonly source: SourceFile;
  readonly jobs: readonly JobDefinition[];
}

/** The file of that name that comes with ojm; `undefined` if there is none. */
export function builtinFile(file: string): BuiltinFile | undefined {
  const names = Object.hasOwn(FILES, file) ? FILES[file] : undefined;
  if (names === undefined) return undefined;
  const source = new SourceFile(file, file, "");
  const at = { source, line: 1, column: 1 };
  const jobs = names.map((name): JobDefinition => {
    const help = builtinHelp(name, at);
    return {
      name,
      at,
      args: [],
      argsAt: {},
      from: [],
      to: [],
      catch: [],
      deps: [],
      each: [],
      type: "simple",
      typeArgs: {},
      typeArgsAt: {},
      check: {},
      ...(help && { help }),
      builtin: name,
    };
  });
  return { source, jobs };
}

/** The names of the files that come with ojm. */
export function builtinFiles(): string[] {
  return Object.keys(FILES);
}

/** The built-in file that a job of this name comes from, for the hint to include it. */
export function builtinFileOf(job: string): string | undefined {
  return Object.keys(FILES).find((file) => FILES[file]?.includes(job));
}
