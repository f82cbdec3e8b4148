import { SourceFile } from "../source.js";
import { BASICS } from "./basics.js";
import { builtinHelp } from "./builtin-help.js";
import type { JobDefinition } from "./jobfile.js";

/** The files that every job file can include without having them. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  "oJobManager.yaml": ["oJobManager Init", "oJobManager Job Start", "oJobManager Job End", "oJobManager Error"],
};

/** Files that come with ojm and are job files like any other. */
const TEXTS: Readonly<Record<string, string>> = { "oJobBasics.yaml": BASICS };

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

/** The job file of that name that comes with ojm; `undefined` if there is none. */
export function builtinSource(file: string): SourceFile | undefined {
  const text = Object.hasOwn(TEXTS, file) ? TEXTS[file] : undefined;
  return text === undefined ? undefined : new SourceFile(file, file, text);
}

/** The names of the files that come with ojm. */
export function builtinFiles(): string[] {
  return [...Object.keys(FILES), ...Object.keys(TEXTS)];
}

/** The built-in file that a job of this name comes from, for the hint to include it. */
export function builtinFileOf(job: string): string | undefined {
  const line = `  - name: ${job}`;
  return (
    Object.keys(FILES).find((file) => FILES[file]?.includes(job)) ??
    Object.keys(TEXTS).find((file) => TEXTS[file]?.split("\n").includes(line))
  );
}
