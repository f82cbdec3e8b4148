import { commands } from "./command-line/all.js";
import { parse, readCommand } from "./command-line/parse.js";
import { modules } from "./commands/modules.js";

/** Does what the words of a command line ask for. Resolves to the exit code. */
export async function execute(words: readonly string[]): Promise<number> {
  try {
    const { name, rest } = await readCommand(words, [...commands.keys()]);
    const [spec, load] = [commands.get(name), modules[name]];
    if (spec === undefined || load === undefined) return 2;
    const [command, given] = await Promise.all([load(), parse(spec, rest)]);
    return await command.execute(given);
  } catch (error) {
    // What the shell calls says nothing: its words would stand among what somebody types.
    if (commands.get(words[0] ?? "")?.hidden === true) return 1;
    // Loaded only now: each import is felt at every start.
    const { explained } = await import("./store/explain.js");
    const told = explained(error);
    if (told === undefined) throw error;
    const { tell } = await import("./output/tell.js");
    // Problems of a job file begin with their place.
    tell((error as Error).name === "JobFileError" ? told.message : `ojm: ${told.message}`);
    return told.code;
  }
}
