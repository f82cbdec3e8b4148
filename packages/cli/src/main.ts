#!/usr/bin/env node
import { readCommand } from "./command.js";
import { CommandError } from "./errors.js";
import { lastResort } from "./last-resort.js";

/** Each command is loaded when it is asked for: `--help` needs no job manager, and start-up is felt. */
const commands: Readonly<Record<string, () => Promise<{ execute: (words: readonly string[]) => Promise<number> }>>> = {
  run: () => import("./commands/run.js"),
  check: () => import("./commands/check.js"),
  history: () => import("./commands/history.js"),
  locks: () => import("./commands/locks.js"),
  schema: () => import("./commands/schema.js"),
  help: () => import("./commands/help.js"),
  version: () => import("./commands/version.js"),
};

async function main(words: readonly string[]): Promise<number> {
  try {
    const { name, rest } = await readCommand(words, Object.keys(commands));
    const command = await commands[name]?.();
    return (await command?.execute(rest)) ?? 2;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    // Loaded only now: each import is felt at every start.
    const { tell } = await import("./tell.js");
    tell(`ojm: ${error.message}`);
    return 2;
  }
}

// Here comes what main rejects with too, and what is thrown where nobody waits for it.
process.on("uncaughtException", lastResort);
process.exitCode = await main(process.argv.slice(2));
