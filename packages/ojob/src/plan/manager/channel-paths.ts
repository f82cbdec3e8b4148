import { isAbsolute, resolve } from "node:path";
import type { Args } from "../../load/job-file.js";
import type { Position } from "../../text/problem.js";
import { misplaced, saidPath } from "../../text/said-path.js";
import { wholeTemplate } from "../../text/template.js";
import { valueAt } from "../../text/value-at.js";
import { MANAGER_CHANNELS } from "./manager-args.js";

/** The options of a channel type that are paths. None if the type cannot be found: opening it says why. */
export type PathsOf = (type: string) => Promise<readonly string[]>;

/** Who says a path, and what is needed to find the place that it means. */
export interface Saying {
  readonly at: Position;
  /** The arguments of the command line. Their paths begin at the working directory. */
  readonly typed: Args;
  readonly pathsOf: PathsOf;
  readonly onMisplaced?: OnMisplaced;
}

/** Receives a path that means `meant`, where nothing is, while `here` is in the working directory. */
export type OnMisplaced = (here: string, meant: string, argument: string) => void;

/**
 * Makes the paths of the job manager's channels in these arguments absolute. `written` are the arguments
 * before their templates were filled.
 */
export async function placeChannels(args: Args, written: Args, saying: Saying): Promise<Args> {
  const placed: Args = {};
  for (const name of MANAGER_CHANNELS) {
    if (!isMap(written[name]) && wholeTemplate(written[name]) === undefined) continue;
    if (isMap(args[name])) placed[name] = await placeChannel(args[name], written[name], saying, name);
  }
  return { ...args, ...placed };
}

/** Makes the paths of one channel, with `type` and `args`, absolute. */
export async function placeChannel<Config extends Args>(
  config: Config,
  written: unknown,
  saying: Saying,
  argument = "",
): Promise<Config> {
  const { type, args } = config;
  const place = (path: string, asWritten: unknown): string => {
    if (isTyped(path, asWritten, saying.typed)) return resolve(path);
    const meant = saidPath(path, saying.at);
    const here = misplaced(path, meant);
    if (here !== undefined) saying.onMisplaced?.(here, meant, argument);
    return meant;
  };
  const found = typeof type === "string" && isPath(type) ? place(type, field(written, "type")) : type;
  const options = isMap(args) ? { ...args } : args;
  for (const option of typeof found === "string" && isMap(options) ? await saying.pathsOf(found) : []) {
    const path = (options as Args)[option];
    // An empty text, or a name such as ":memory:", is for the type to refuse.
    if (typeof path !== "string" || /^\s*$|^:/.test(path)) continue;
    (options as Args)[option] = place(path, field(field(written, "args"), option));
  }
  return { ...config, ...(type !== undefined && { type: found }), ...(args !== undefined && { args: options }) };
}

/** Whether the whole text was typed on the command line, and a template put it here. */
export function isTyped(text: string, written: unknown, typed: Args): boolean {
  const path = wholeTemplate(written);
  return path !== undefined && valueAt(typed, path) === text;
}

/** Whether a channel type is the path of a module. */
export function isPath(type: string): boolean {
  return type.startsWith(".") || isAbsolute(type);
}

function isMap(value: unknown): value is Args {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function field(value: unknown, name: string): unknown {
  return isMap(value) ? value[name] : undefined;
}
