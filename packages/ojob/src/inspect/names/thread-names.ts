import type { NamedPackage } from "../../script/protocol.js";
import { ScriptThread, SharedGlobals } from "../../script/thread.js";

export interface ThreadNames {
  readonly globals: ReadonlySet<string>;
  /** The fields of the objects of OpenAF, by the path of the object: those of `ow` and of `ow.format`. */
  readonly fields: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Returns the globals, and the fields of those objects. Any script may add fields to other objects. */
const QUESTION = `
const fields = {};
const look = (path, value, depth) => {
  if (typeof value !== "object" || value === null || depth > 3) return;
  fields[path] = Object.keys(value);
  for (const key of fields[path]) look(path + "." + key, value[key], depth + 1);
};
for (const name of ["af", "io", "ow"]) look(name, globalThis[name], 0);
return { globals: Object.getOwnPropertyNames(globalThis), fields };`;

export class LoadError extends Error {}

/** Enough to run this code. */
const MEMORY_MB = 64;

const answers = new Map<string, Promise<ThreadNames>>();

/** The names that scripts can use with these packages, which is the same for all files. Throws LoadError. */
export function threadNames(worker: URL, packages: readonly NamedPackage[]): Promise<ThreadNames> {
  const key = JSON.stringify(packages);
  const answer = answers.get(key) ?? readThread(worker, packages);
  answers.set(key, answer);
  return answer;
}

/** Asks a script thread for its names: no second list of our functions, and Node's newest globals. */
async function readThread(script: URL, packages: readonly NamedPackage[]): Promise<ThreadNames> {
  const thread = new ScriptThread({ script, memoryLimit: MEMORY_MB, files: [] });
  try {
    if (packages.length > 0) thread.load({ loads: packages, modules: [] });
    const message = { code: QUESTION, file: "ojm", line: 1, args: {}, job: { name: "ojm" }, module: false };
    const { failure, result } = await thread.run(message, HOST);
    if (failure !== undefined) throw new LoadError(failure.message);
    const { globals, fields } = result as { globals: string[]; fields: Record<string, string[]> };
    const sets = Object.entries(fields).map(([name, own]) => [name, new Set(own)] as const);
    return { globals: new Set(globals), fields: new Map(sets) };
  } finally {
    await thread.end();
  }
}

/** This code makes no calls. */
const HOST = {
  call: async (name: string): Promise<never> => {
    throw new Error(`${name} cannot be called by a check`);
  },
  log: (): void => {},
  print: (): void => {},
  progress: (): void => {},
  globals: new SharedGlobals(),
  ahead: 0,
};
