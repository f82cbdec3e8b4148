import { operandOf } from "../../command-line/parse.js";
import type { CommandGroups, Given } from "../../command-line/spec.js";
import { CommandError } from "../../errors.js";
import { print } from "../../output/print.js";
import { bashScript } from "./shells/bash.js";
import { fishScript } from "./shells/fish.js";
import { zshScript } from "./shells/zsh.js";
import { words } from "./words.js";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

/** Prints the script with which a shell completes the command line. */
export async function execute(given: Given, groups: CommandGroups): Promise<number> {
  const shell = operandOf(given, "the name of a shell: bash, zsh or fish");
  if (!Object.hasOwn(SCRIPTS, shell))
    throw new CommandError(`there is no completion for "${shell}": write bash, zsh or fish`);
  print(SCRIPTS[shell as keyof typeof SCRIPTS](words(groups)));
  return 0;
}
