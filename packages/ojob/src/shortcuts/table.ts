import { CONTROL } from "./control.js";
import { DATA } from "./data.js";
import type { ShortcutDefinition, Shortcuts } from "./definition.js";
import { OUTPUT } from "./output.js";

export const SHORTCUTS: Shortcuts = { ...CONTROL, ...DATA, ...OUTPUT };

/** A shortcut by its name. `undefined` if ojm does not have it: a job of the file may define it. */
export function shortcutNamed(name: string): ShortcutDefinition | undefined {
  return Object.hasOwn(SHORTCUTS, name) ? SHORTCUTS[name] : undefined;
}

/** Shortcuts of OpenAF that ojm does not have, and what to write instead. */
export const REFUSED: Readonly<Record<string, string>> = {
  state: 'write $set("state", name) in the script of a job, and ask for it by (if): $get("state") === "a"',
  stateOn: 'write (optionOn) with the jobs for each value, or ask for it by (if): args.mode === "a"',
  templateFolder: "write (template) with ((templateFile)) and ((outputFile)) for each file",
  jobdebug: 'write "logArgs: true" under "ojob"',
  jobsdebug: 'write "logArgs: true" under "ojob"',
  ask: 'give the answer as an argument, which is named under "help.expects"',
  questions: 'give the answers as arguments, which are named under "help.expects"',
  oafp: 'write a job with "lang: shell" that calls oafp',
  llm: "write await fetch(address) in the script of a job",
};

/** Why a shortcut is rejected, and what to write instead. `undefined` for any other shortcut. */
export function refusal(name: string): string | undefined {
  const instead = Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined;
  if (instead === undefined) return undefined;
  return `the shortcut "(${name})" of OpenAF is not supported here. Instead, ${instead}.`;
}
