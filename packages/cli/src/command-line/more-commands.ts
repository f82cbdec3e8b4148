import { STORE } from "./common.js";
import type { CommandSpec } from "./spec.js";

/** The commands that are about the command line itself. */
export const moreCommands: readonly CommandSpec[] = [
  {
    name: "help",
    operands: "[COMMAND]",
    summary: "show how a command is used",
    options: {},
  },
  {
    name: "version",
    operands: "",
    summary: "print the version",
    options: {},
  },
  {
    name: "completion",
    operands: "bash|zsh|fish",
    summary: "print a script with which the shell completes commands, options, names and runs",
    about: `Names of jobs and ids of runs come from the store: that of --store on the line, or of OJM_STORE or ojm.config.json.

  bash, in ~/.bashrc:                 source <(ojm completion bash)
  zsh, in ~/.zshrc behind compinit:   source <(ojm completion zsh)
  fish, in its config.fish:           ojm completion fish | source`,
    options: {},
  },
];

/** The commands that scripts of ojm call. No help shows them. */
export const hiddenCommands: readonly CommandSpec[] = [
  {
    name: "__complete",
    operands: "NAME|RUN -- PREFIX",
    summary: "print the names or runs that begin so, a line each; nothing on any error",
    options: { within: { value: "TIME", text: "the longest that it takes. Default: 900ms" }, ...STORE },
    hidden: true,
  },
];
