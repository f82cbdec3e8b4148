import { SharedGlobals } from "../../script/globals.js";
import { ScriptThread } from "../../script/thread.js";

/** The names that every script of this machine finds. */
export interface ThreadNames {
  readonly globals: ReadonlySet<string>;
  /** The fields of ojm's objects, by the name of the object. */
  readonly fields: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Asks what is global, and what is in an object that ojm adds. */
const QUESTION = `return {
  globals: Object.getOwnPropertyNames(globalThis),
  fields: { af: Object.keys(af) },
};`;

/** Enough for a question. */
const MEMORY_MB = 64;

let answer: Promise<ThreadNames> | undefined;

/** The names that scripts find. The answer is the same for all files that a process checks. */
export function threadNames(script: URL): Promise<ThreadNames> {
  answer ??= askThread(script);
  return answer;
}

/**
 * Asks a script thread which names its scripts find. So there is no second list of our functions, and a
 * global that only newer releases of Node have is known for what it is.
 */
async function askThread(script: URL): Promise<ThreadNames> {
  const thread = new ScriptThread({ script, memoryLimit: MEMORY_MB, files: [] });
  try {
    const message = { code: QUESTION, file: "ojm", line: 1, args: {}, job: { name: "ojm" }, module: false };
    const { failure, result } = await thread.run(message, HOST);
    if (failure !== undefined) throw new Error(`a script thread cannot be started: ${failure.message}`);
    const { globals, fields } = result as { globals: string[]; fields: Record<string, string[]> };
    const sets = Object.entries(fields).map(([name, own]) => [name, new Set(own)] as const);
    return { globals: new Set(globals), fields: new Map(sets) };
  } finally {
    await thread.end();
  }
}

/** The question makes no calls. */
const HOST = {
  call: async (name: string): Promise<never> => {
    throw new Error(`${name} cannot be called by a check`);
  },
  log: (): void => {},
  print: (): void => {},
  globals: new SharedGlobals(),
  ahead: 0,
};
