import { actCommands } from "./act-commands.js";
import { fileCommands } from "./file-commands.js";
import { lookCommands } from "./look-commands.js";
import { hiddenCommands, moreCommands } from "./more-commands.js";
import { portCommands } from "./port-commands.js";
import type { CommandSpec } from "./spec.js";

/** All commands, in the order in which the help shows them. */
export const groups: readonly (readonly [title: string, commands: readonly CommandSpec[]])[] = [
  ["Job files", fileCommands],
  ["Look", lookCommands],
  ["Act", actCommands],
  ["Move", portCommands],
  ["More", moreCommands],
];

/** Each command by its name. */
export const commands: ReadonlyMap<string, CommandSpec> = new Map(
  [...groups.flatMap(([, all]) => all), ...hiddenCommands].map((spec) => [spec.name, spec] as const),
);
