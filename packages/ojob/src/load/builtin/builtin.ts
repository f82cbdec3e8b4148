import { SourceFile } from "../../text/source-file.js";
import type { JobDefinition } from "../job-file.js";
import { BASICS } from "./basics.js";
import { builtinHelp } from "./builtin-help.js";

/** The built-in files of the job manager, with the names of their jobs. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  "oJobManager.yaml": ["oJobManager Init", "oJobManager Job Start", "oJobManager Job End", "oJobManager Error"],
  // Its jobs are read as shortcuts, whether a file includes it or not.
  "ojob.yaml": [],
};

/** Files that come with ojm and are job files like any other. */
const TEXTS: Readonly<Record<string, string>> = { "oJobBasics.yaml": BASICS };

/** A file that comes with ojm. */
export interface BuiltinFile {
  readonly source: SourceFile;
  readonly jobs: readonly JobDefinition[];
}

/** The built-in file of that name. `undefined` if there is none. */
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
      checkAt: {},
      ...(help && { help }),
      builtin: name,
    };
  });
  return { source, jobs };
}

/** The text of the built-in file of that name. `undefined` if there is none. */
export function builtinSource(file: string): SourceFile | undefined {
  const text = Object.hasOwn(TEXTS, file) ? TEXTS[file] : undefined;
  return text === undefined ? undefined : new SourceFile(file, file, text);
}

/** The names of the files that come with ojm. */
export function builtinFiles(): string[] {
  return [...Object.keys(FILES), ...Object.keys(TEXTS)];
}

/** The built-in file that has a job of this name, for the hint to include it. */
export function builtinFileOf(job: string): string | undefined {
  const line = `  - name: ${job}`;
  return (
    Object.keys(FILES).find((file) => FILES[file]?.includes(job)) ??
    Object.keys(TEXTS).find((file) => TEXTS[file]?.split("\n").includes(line))
  );
}
