import { commands, groups } from "./command-line/commands.js";
import { parse, readCommand } from "./command-line/parse.js";

/** Executes a command line. Resolves to the exit code. */
export async function execute(words: readonly string[]): Promise<number> {
  try {
    const { name, rest } = await readCommand(words, [...commands.keys()]);
    const spec = commands.get(name);
    if (spec === undefined) return 2;
    const [command, given] = await Promise.all([spec.load(), parse(spec, rest)]);
    // This secret can make sessions: programs that other commands start must not have it.
    if (name !== "ui") delete process.env["OJM_UI_SECRET"];
    return await command.execute(given, groups);
  } catch (error) {
    // The command that the shell calls prints nothing: its output would appear at the prompt.
    if (commands.get(words[0] ?? "")?.hidden === true) return 1;
    // Loaded only now: each import slows down every start.
    const { explained } = await import("./store/explain.js");
    const told = explained(error);
    if (told === undefined) throw error;
    if (wantsJson(words)) {
      const { nameOf } = await import("./errors.js");
      const item = { error: { code: nameOf(told.code), exit: told.code, message: told.message } };
      const { jsonText } = await import("./output/print.js");
      process.stderr.write(`${jsonText(item)}\n`);
      return told.code;
    }
    const { printError } = await import("./output/print.js");
    // A problem of a job file starts with its place, if it has one.
    const { name, message } = error as Error;
    const isPlaced = name === "JobFileError" && !message.startsWith("error: ");
    printError(isPlaced ? told.message : `ojm: ${told.message}`);
    return told.code;
  }
}

/**
 * Whether errors are printed as JSON: `--json` or `--jsonl` was given to a command that knows them, or to an
 * unknown command.
 */
function wantsJson([command = "", ...words]: readonly string[]): boolean {
  const end = words.indexOf("--");
  const own = end < 0 ? words : words.slice(0, end);
  const spec = commands.get(command);
  return (
    (spec === undefined || spec.options["json"] !== undefined) && (own.includes("--json") || own.includes("--jsonl"))
  );
}
