import type { Args } from "../load/jobfile.js";
import { fillAll } from "./template.js";

/** Arguments by where they come from. What stands first wins. */
export interface ArgSources {
  /** Of the job itself: nobody outside may change the name of its lock. */
  readonly own: Args;
  /** Of the `todo`, or of whoever calls or launches the job. */
  readonly given: Args;
  /** Of the command line. */
  readonly commandLine: Args;
}

/** Told of a template that nothing fills: the argument that it is in, and what it asks for. */
export type Missing = (argument: string, path: string) => void;

/**
 * The arguments that a job sees. Templates in its own are filled from the others, and from those of its own above them:
 * what comes from outside is data, and a `{{` in it was not written for us to fill.
 */
export function mergeArgs({ own, given, commandLine }: ArgSources, missing: Missing): Args {
  const outside = { ...commandLine, ...given };
  return { ...outside, ...fillArgs(own, outside, missing) };
}

/** Fills the templates in `args` from `data`, and from the ones filled before. */
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
 * The value of a `key=value` of the command line. Numbers become numbers and true and false become booleans, if they read
 * back as written: `007` and twenty digits stay text.
 */
export function commandLineValue(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  return NUMBER.test(text) && String(Number(text)) === text ? Number(text) : text;
}
