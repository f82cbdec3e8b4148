import { commands } from "../command-line/commands.js";
import { parse } from "../command-line/parse.js";
import type { Given } from "../command-line/spec.js";

/** The words of a command line as a command gets them. */
export function given(command: string, ...words: readonly string[]): Promise<Given> {
  const spec = commands.get(command);
  if (spec === undefined) throw new Error(`there is no command ${command}`);
  return parse(spec, words);
}
