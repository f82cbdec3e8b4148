import { commands, groups } from "./command-line/commands.js";
import { parse, readCommand } from "./command-line/parse.js";

/** Does what the words of a command line ask for. Resolves to the exit code. */
export async function execute(words: readonly string[]): Promise<number> {
  try {
    const { name, rest } = await readCommand(words, [...commands.keys()]);
    const spec = commands.get(name);
    if (spec === undefined) return 2;
    const [command, given] = await Promise.all([spec.load(), parse(spec, rest)]);
    // Who knows it can make sessions: of no use to what other commands start.
    if (name !== "ui") delete process.env["OJM_UI_SECRET"];
    return await command.execute(given, groups);
  } catch (error) {
    // What the shell calls says nothing: its words would stand among what somebody types.
    if (commands.get(words[0] ?? "")?.hidden === true) return 1;
    // Loaded only now: each import is felt at every start.
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
    const { tell } = await import("./output/print.js");
    // Problems of a job file begin with their place, if they have one.
    const { name, message } = error as Error;
    const isPlaced = name === "JobFileError" && !message.startsWith("error: ");
    tell(isPlaced ? told.message : `ojm: ${told.message}`);
    return told.code;
  }
}

/** Whether a command that prints JSON, or is not there, is to print it: its errors are JSON then, too. */
function wantsJson([command = "", ...words]: readonly string[]): boolean {
  const end = words.indexOf("--");
  const own = end < 0 ? words : words.slice(0, end);
  const spec = commands.get(command);
  return (
    (spec === undefined || spec.options["json"] !== undefined) && (own.includes("--json") || own.includes("--jsonl"))
  );
}
