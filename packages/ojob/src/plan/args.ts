import type { Args } from "../load/job-file.js";
import { fillAll } from "../text/template.js";

/** Arguments by their origin. An earlier field wins. */
export interface ArgSources {
  /** Arguments of the job itself. They win, so that no caller can change the name of its lock. */
  readonly own: Args;
  /** Arguments of the `todo`, or of the caller. */
  readonly given: Args;
  /** Arguments of the command line. */
  readonly commandLine: Args;
}

/** Receives each template that no argument fills: the argument that holds it, and the path that it names. */
export type Missing = (argument: string, path: string) => void;

/**
 * Merges the arguments of a job. Templates in its own arguments are filled from the others, and from its own
 * above them. Arguments from outside are data: a `{{` in them is not ours to fill.
 */
export function mergeArgs({ own, given, commandLine }: ArgSources, missing: Missing): Args {
  const outside = { ...commandLine, ...given };
  return { ...outside, ...fillArgs(own, outside, missing) };
}

/** Fills the templates in `args` from `data`, and from the arguments filled before. */
export function fillArgs(args: Args, data: Args, missing: Missing): Args {
  const filled: Args = {};
  const known: Args = { ...data };
  for (const [key, value] of Object.entries(args)) {
    filled[key] = fillAll(value, known, (path) => missing(key, path));
    known[key] = filled[key];
  }
  return filled;
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

/**
 * Parses the value of a `key=value` of the command line. Numbers, `true` and `false` are parsed as such if
 * they read back as written: `007` and twenty digits stay text.
 */
export function commandLineValue(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  return NUMBER.test(text) && String(Number(text)) === text ? Number(text) : text;
}
