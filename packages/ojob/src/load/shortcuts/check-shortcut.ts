import { nearest } from "@ojm/core/internal";
import type { Problems } from "../../text/problem.js";
import type { Shape } from "../check/shape.js";
import { isEmpty, type MapEntry, type MapNode, type Node, nothing, shorten } from "../yaml/node.js";
import { stepOptions } from "./items.js";
import { type ShortcutKey, splitEntries, writtenKey } from "./keys.js";
import { refusal } from "./refused.js";
import type { ShortcutShape } from "./shape.js";
import { shortcutShape } from "./table.js";

/** Checks a piece of a job file against its shape, and returns it without the wrong parts. */
type Check = (node: Node, shape: Shape, name: string, problems: Problems) => Node;

type Entry = MapEntry & ShortcutKey;

/** Whether a node is a shortcut: a map with a key in brackets. */
export function isShortcut(node: Node): boolean {
  return node.kind === "map" && node.entries.some(({ key }) => key.startsWith("("));
}

/**
 * Checks a shortcut, and returns it with keys as `(if)` and `((then))`. The result is nothing if a part of it
 * is wrong: half a shortcut is none. Which job a shortcut of the file stands for is known later.
 */
export function checkShortcut(node: MapNode, argsShape: Shape, problems: Problems, check: Check): Node {
  const before = problems.errors.length;
  const { shortcuts, others } = splitEntries(node);
  const [first, second] = shortcuts.filter(({ option }) => !option);
  const options = shortcuts.filter(({ option }) => option);
  if (first === undefined) {
    const [option] = options;
    problems.error(`"${option?.key}" is an option, and its shortcut is missing beside it.`, option?.keyAt ?? node.at);
  } else if (second !== undefined) {
    problems.error(`"${second.key}" stands beside "${first.key}": write it as an item of its own.`, second.keyAt);
  } else if (refusal(first.name) !== undefined) {
    problems.error(refusal(first.name) ?? "", first.keyAt);
  }
  if (first === undefined || problems.errors.length > before) return nothing(node.at);
  const shape = shortcutShape(first.name);
  const name = writtenKey(first.name, false);
  if (shape?.value.required && isEmpty(first.value)) {
    problems.error(missing(node, name, "value"), first.keyAt);
  }
  const value = shape === undefined ? first.value : check(first.value, shape.value, `"${name}"`, problems);
  const entries = [
    { key: name, keyAt: first.keyAt, value },
    ...options.flatMap((option) => checkOption(option, name, shape, problems, check)),
    ...others.flatMap((entry) => checkOther(entry, name, argsShape, problems, check)),
  ];
  for (const [option, { required }] of Object.entries(shape?.options ?? {})) {
    const written = options.find((one) => one.name === option);
    if (!required || (written !== undefined && !isEmpty(written.value))) continue;
    problems.error(missing(node, name, option), first.keyAt);
  }
  return problems.errors.length > before ? nothing(node.at) : { ...node, entries };
}

/** What a shortcut lacks: an option, or its `value`. */
function missing({ job }: MapNode, name: string, option: string): string {
  const [argument] = Object.entries(job?.args ?? {}).find(([, one]) => one === option) ?? [];
  if (job !== undefined && argument !== undefined) return `"${job.name}" needs "${argument}" among its args.`;
  return `the shortcut "${name}" needs ${option === "value" ? "a value behind it" : `"${writtenKey(option, true)}"`}.`;
}

function checkOption(
  option: Entry,
  name: string,
  shape: ShortcutShape | undefined,
  problems: Problems,
  check: Check,
): MapEntry[] {
  const key = writtenKey(option.name, true);
  const entry = { key, keyAt: option.keyAt };
  if (shape === undefined) return [{ ...entry, value: option.value }];
  const known = Object.hasOwn(shape.options, option.name) ? shape.options[option.name] : undefined;
  if (known !== undefined) return [{ ...entry, value: check(option.value, known, `"${key}"`, problems) }];
  const instead =
    shape.refused !== undefined && Object.hasOwn(shape.refused, option.name) && shape.refused[option.name];
  const why = instead
    ? `"${key}" of "${name}" is not supported here: ${instead}.`
    : `the shortcut "${name}" has no option "${shorten(key)}".${optionHint(option.name, shape)}`;
  problems.error(why, option.keyAt);
  return [];
}

function optionHint(name: string, { options }: ShortcutShape): string {
  const known = Object.keys(options);
  const near = nearest(name, known);
  if (near !== undefined) return ` Did you mean "${writtenKey(near, true)}"?`;
  return known.length === 0 ? " It has none." : ` It has ${known.map((one) => writtenKey(one, true)).join(", ")}.`;
}

function noOption(key: string, name: string): string {
  return `a shortcut has no "${key}": put "${name}" under "from" of a job, and name that job as the step, with "${key}".`;
}

function checkOther(entry: MapEntry, name: string, argsShape: Shape, problems: Problems, check: Check): MapEntry[] {
  const { key, keyAt, value } = entry;
  if (key === "args") {
    const checked = check(value, argsShape, '"args"', problems);
    return isEmpty(checked) ? [] : [{ ...entry, value: checked }];
  }
  if (key === "when") problems.error(`a shortcut has no "when": put "${name}" under (if), in ((then)).`, keyAt);
  else if (Object.hasOwn(stepOptions, key)) problems.error(noOption(key, name), keyAt);
  else problems.warn(`unknown key "${shorten(key)}" in the shortcut "${name}": it has no effect.`, keyAt);
  return [];
}
