import { type Position, place } from "../../text/problem.js";
import type { Shape } from "../check/shape.js";
import type { CodeBlock, Shortcut, StepJob, StepReference } from "../job-file.js";
import { isShortcut } from "../shortcuts/check-shortcut.js";
import { holdsJobs, holdsLists } from "../shortcuts/items.js";
import { shortcutKey } from "../shortcuts/keys.js";
import { shortcutShape } from "../shortcuts/table.js";
import { child, isEmpty, itemsOf, type Node, textOf, toValue } from "../yaml/node.js";
import { codeBlock, entriesOf, readArgs, stepOptions } from "./read-values.js";

/** Reads the jobs and shortcuts of `from` and `to` from a checked node. */
export function readSteps(node: Node | undefined): StepReference[] {
  return itemsOf(node).flatMap((item): StepReference[] => {
    const [read] = readItems(item);
    if (read === undefined) return [];
    return "shortcut" in read ? [read] : [{ ...read, ...stepOptions(item) }];
  });
}

/** The jobs and shortcuts of a list of a shortcut. They are called, and have no options of a step. */
function readItems(node: Node | undefined): StepReference[] {
  return itemsOf(node).flatMap((item): StepReference[] => {
    if (!isShortcut(item)) return readStepJob(item);
    const shortcut = readShortcut(item);
    return shortcut === undefined ? [] : [{ shortcut }];
  });
}

function readStepJob(node: Node): StepJob[] {
  const name = node.kind === "map" ? (child(node, "name") ?? child(node, "job")) : node;
  const job = textOf(name);
  if (name === undefined || job === undefined) return [];
  const { args, argsAt } = readArgs(child(node, "args"));
  const isolateArgs = flagOf(child(node, "isolateArgs"));
  const templateArgs = flagOf(child(node, "templateArgs"));
  return [
    {
      job,
      at: name.at,
      args: args[0] ?? {},
      argsAt,
      ...(isolateArgs !== undefined && { isolateArgs }),
      ...(templateArgs !== undefined && { templateArgs }),
    },
  ];
}

function flagOf(node: Node | undefined): boolean | undefined {
  return node?.kind === "scalar" && typeof node.value === "boolean" ? node.value : undefined;
}

/** How a shortcut of the todo is called where a job has its name. */
export function labelOf({ name, at }: Shortcut): string {
  return `(${name}) at ${place(at)}`;
}

/** Reads a shortcut from a checked node. */
export function readShortcut(node: Node): Shortcut | undefined {
  const entries = entriesOf(node).flatMap((entry) => {
    const key = shortcutKey(entry.key);
    return key === undefined ? [] : [{ ...entry, ...key }];
  });
  const first = entries.find(({ option }) => !option);
  if (first === undefined) return undefined;
  const shape = shortcutShape(first.name);
  const parts = entries.map(({ option, name, keyAt, value }): Part => {
    const named = option ? name : "value";
    return { name: named, keyAt, value, shape: option ? shape?.options[name] : shape?.value };
  });
  const data = parts.filter(({ value, shape }) => !isEmpty(value) && !holdsLists(shape));
  const { args, argsAt } = readArgs(child(node, "args"));
  return {
    name: first.name,
    at: first.keyAt,
    values: Object.fromEntries(data.map(({ name, value }) => [name, toValue(value)])),
    blocks: Object.fromEntries(data.flatMap(({ name, value }) => entryOf(name, codeBlock(value)))),
    lists: Object.fromEntries(parts.flatMap(listsOf)),
    ...(node.kind === "map" && node.job && { late: node.job.args }),
    places: Object.fromEntries(parts.map(({ name, keyAt, value }) => [name, isEmpty(value) ? keyAt : value.at])),
    args: args[0] ?? {},
    argsAt,
  };
}

/** What stands behind one key of a shortcut. */
interface Part {
  readonly name: string;
  readonly keyAt: Position;
  readonly value: Node;
  readonly shape: Shape | undefined;
}

function listsOf({ name, value, shape }: Part): [string, StepReference[]][] {
  if (!holdsLists(shape) || isEmpty(value)) return [];
  if (holdsJobs(shape)) return [[name, readItems(value)]];
  return entriesOf(value).map(({ key, value: list }) => [`${name}.${key}`, readItems(list)]);
}

function entryOf(name: string, block: CodeBlock | undefined): [string, CodeBlock][] {
  return block === undefined ? [] : [[name, block]];
}
