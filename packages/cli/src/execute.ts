import { commands, groups } from "./command-line/commands.js";
import { parse, readCommand } from "./command-line/parse.js";
import { nameOf } from "./errors.js";

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
    const known = explained(error);
    if (known === undefined) throw error;
    const { code, message } = known;
    const { explanationLine, jsonText, printError } = await import("./output/print.js");
    if (wantsJson(words)) {
      process.stderr.write(`${jsonText({ error: { code: nameOf(code), exit: code, message } })}\n`);
      return code;
    }
    // A problem of a job file starts with its place, if it has one.
    const { name, message: original } = error as Error;
    const isPlaced = name === "JobFileError" && !original.startsWith("error: ");
    printError(`${isPlaced ? message : `ojm: ${message}`}${explanationLine(known.cause)}`);
    return code;
  }
}

/** Whether errors are JSON: the command knows `--json` or `--jsonl`, or is unknown, and one was given. */
function wantsJson([command = "", ...words]: readonly string[]): boolean {
  const end = words.indexOf("--");
  const own = end < 0 ? words : words.slice(0, end);
  const spec = commands.get(command) ?? commands.get(`${command} ${words[0]}`);
  return (
    (spec === undefined || spec.options["json"] !== undefined) && (own.includes("--json") || own.includes("--jsonl"))
  );
}
