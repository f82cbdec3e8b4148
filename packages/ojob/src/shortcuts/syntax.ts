import { nearest } from "@ojm/core/internal";
import {
  anything,
  either,
  type Fields,
  flag,
  mapWithOneOf,
  number,
  record,
  type Shape,
  shortcut,
  some,
  text,
} from "../load/shape.js";
import type { MapEntry, MapNode, Node } from "../load/yaml/node.js";

/** A key that belongs to a shortcut: `(if)` itself, or `((then))`, one of its options. */
export interface ShortcutKey {
  readonly option: boolean;
  readonly name: string;
}

/** Reads a key of a shortcut. As in OpenAF, closing brackets may be missing: `(pass )`, `((then)`. */
export function shortcutKey(key: string): ShortcutKey | undefined {
  if (!key.startsWith("(")) return undefined;
  const option = key.startsWith("((");
  return { option, name: key.slice(option ? 2 : 1).replace(/\s*\)+\s*$/, "") };
}

/** The keys that a regular expression must match to be this shortcut, or this option. */
export function keyPattern(name: string, option: boolean): string {
  return `^${option ? "\\(\\(" : "\\("}${name}\\s*\\)*\\s*$`;
}

/** The key of this shortcut, or of this option, as it is written without alignment. */
export function writtenKey(name: string, option: boolean): string {
  return option ? `((${name}))` : `(${name})`;
}

/** The hint for a wrong key of a shortcut: the key that was probably meant, or nothing. */
export function meantKey(name: string, known: Iterable<string>, option: boolean): string {
  const near = nearest(name, known);
  return near === undefined ? "" : ` Did you mean "${writtenKey(near, option)}"?`;
}

/** The entries of a map that belong to a shortcut, and the others. */
export function splitEntries({ entries }: MapNode): {
  readonly shortcuts: readonly (MapEntry & ShortcutKey)[];
  readonly others: readonly MapEntry[];
} {
  const read = entries.map((entry) => ({ entry, key: shortcutKey(entry.key) }));
  return {
    shortcuts: read.flatMap(({ entry, key }) => (key === undefined ? [] : [{ ...entry, ...key }])),
    others: read.flatMap(({ entry, key }) => (key === undefined ? [entry] : [])),
  };
}

/** Whether a node is a shortcut: a map with a key in brackets. */
export function isShortcut(node: Node): boolean {
  return node.kind === "map" && node.entries.some(({ key }) => key.startsWith("("));
}

export const jobName: Shape = text("The name of a job.");

/** A shortcut in the place of a job. */
export const shortcutItem: Shape = shortcut("A shortcut of OpenAF, like (if), (pass) or (log).");

export const stepArgs: Shape = record(anything("A value."), "Arguments for this step alone.");

const named = { name: jobName, job: text("The same as `name`."), args: stepArgs };

export const stepOptions: Fields = {
  timeout: number("End this step after this many milliseconds.", "milliseconds", 1),
  continueOnError: flag("Continue with the next step if this one fails. The failure is logged and recorded."),
};

export const stepItem: Shape = either(
  "A job, or a shortcut of OpenAF.",
  jobName,
  shortcutItem,
  mapWithOneOf(["name", "job"], { ...named, ...stepOptions }, "A job, its arguments, and the options of the step."),
);

export const listItem: Shape = either(
  "A job, or a shortcut of OpenAF.",
  jobName,
  shortcutItem,
  mapWithOneOf(
    ["name", "job"],
    {
      ...named,
      isolateArgs: flag("The job sees these arguments only."),
      templateArgs: flag("Whether templates in `args` are filled."),
    },
    "A job, and arguments for it.",
  ),
);

/** Jobs and shortcuts that run as steps of a job. */
export function steps(doc: string): Shape {
  return some(stepItem, doc);
}

/** Jobs and shortcuts that a shortcut runs. */
export function jobs(doc: string): Shape {
  return some(listItem, doc);
}

export function holdsJobs(shape: Shape | undefined): boolean {
  return shape?.kind === "some" && shape.of === listItem;
}

export function holdsLists(shape: Shape | undefined): boolean {
  return holdsJobs(shape) || (shape?.kind === "record" && holdsJobs(shape.of));
}
