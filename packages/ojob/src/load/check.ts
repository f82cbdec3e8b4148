import type { ShortcutDefinition } from "../shortcuts/definition.js";
import {
  isShortcut,
  meantKey,
  type ShortcutKey,
  splitEntries,
  stepArgs,
  stepOptions,
  writtenKey,
} from "../shortcuts/syntax.js";
import { refusal, shortcutNamed } from "../shortcuts/table.js";
import { notVariableName } from "../text/environment.js";
import { didYouMean, type Position, type Problems } from "../text/problem.js";
import type { Shape } from "./shape.js";
import { belongs, hasNoWork, INSTEAD_OF_STATES, insteadOf, isWork, meansSchedule, refusalOf } from "./unknown-keys.js";
import { isEmpty, kindOf, type MapEntry, type MapNode, type Node, nothing, shorten } from "./yaml/node.js";

type MapShape = Shape & { readonly kind: "map" };
type RecordShape = Shape & { readonly kind: "record" };

/**
 * Checks a piece of a job file against its shape, and returns it without the wrong parts: a reader of the
 * result finds only values of the right kind. `name` is the piece's name in messages, `path` the keys that
 * lead to it.
 */
export function check(node: Node, shape: Shape, name: string, problems: Problems, path: readonly string[] = []): Node {
  // A key without a value counts as absent. Its map reports missing keys.
  if (isEmpty(node)) return node;
  const wrong = mismatch(node, shape);
  if (wrong !== undefined) {
    problems.error(`${name} must be ${wrong}, not ${kindOf(node)}.${hint(node, shape, name)}`, node.at);
    return nothing(node.at);
  }
  if (shape.kind === "shortcut" && node.kind === "map") return checkShortcut(node, problems);
  if (shape.kind === "map" && node.kind === "map") return checkMap(node, shape, name, problems, path);
  if (shape.kind === "record" && node.kind === "map") return checkRecord(node, shape, problems, path);
  if (shape.kind === "either") return check(node, pick(node, shape.of) ?? shape, name, problems, path);
  if (shape.kind === "args") return checkArgs(node, name, problems);
  if (shape.kind === "list" || shape.kind === "some") return checkItems(node, shape.of, name, problems, path);
  return node;
}

function mismatch(node: Node, shape: Shape): string | undefined {
  const { kind } = shape;
  const value = node.kind === "scalar" ? node.value : undefined;
  if (kind === "text" || kind === "code") return node.kind === "scalar" ? undefined : "a text";
  if (kind === "flag") return typeof value === "boolean" ? undefined : "true or false";
  if (kind === "number") {
    return isNumber(value, shape) ? undefined : `a whole number of ${shape.unit}, ${shape.min} or more`;
  }
  if (kind === "word") return shape.words.includes(String(value)) ? undefined : `one of ${shape.words.join(", ")}`;
  if (kind === "shortcut") return isShortcut(node) ? undefined : "a shortcut";
  if (kind === "list" || kind === "map") return node.kind === kind ? undefined : `a ${kind}`;
  if (kind === "record") return node.kind === "map" ? undefined : "a map";
  if (kind === "args") {
    return node.kind === "scalar" && typeof value !== "string" ? "a map, a list of maps or code" : undefined;
  }
  if (kind === "either") {
    return pick(node, shape.of) === undefined ? shape.of.map((one) => mismatch(node, one)).join(" or ") : undefined;
  }
  if (kind !== "some" || node.kind === "list") return undefined;
  const wanted = mismatch(node, shape.of);
  return wanted && `${wanted} or a list of them`;
}

function pick(node: Node, shapes: readonly Shape[]): Shape | undefined {
  return shapes.find((shape) => mismatch(node, shape) === undefined);
}

function isNumber(value: unknown, { min }: Shape & { kind: "number" }): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= min;
}

/** A hint for a value that is right except for its quotes, or that only OpenAF accepts. */
function hint(node: Node, shape: Shape, name: string): string {
  if (name === '"when"' && node.kind === "list")
    return ` It is code, which returns true. ojm has no states: ${INSTEAD_OF_STATES}.`;
  if (name === '"env"' && node.kind === "list") return " Write each variable as NAME: value.";
  if (node.kind !== "scalar" || typeof node.value !== "string") return "";
  const near = didYouMean(node.value, wordsOf(shape));
  if (near !== "") return near;
  const text = node.value.trim();
  const isFlag = shape.kind === "flag" && (text === "true" || text === "false");
  const isNumeric = shape.kind === "number" && text !== "" && isNumber(Number(text), shape);
  return isFlag || isNumeric ? ` Write ${text} without quotes.` : "";
}

function wordsOf(shape: Shape): readonly string[] {
  if (shape.kind === "either") return shape.of.flatMap(wordsOf);
  return shape.kind === "word" ? shape.words : [];
}

function checkItems(node: Node, of: Shape, name: string, problems: Problems, path: readonly string[]): Node {
  if (node.kind !== "list") return check(node, of, name, problems, path);
  const items = node.items.map((item) => {
    if (isEmpty(item)) problems.error(`${name} has an item with nothing in it.`, item.at);
    return check(item, of, `each item of ${name}`, problems, path);
  });
  return { ...node, items: items.filter((item) => !isEmpty(item)) };
}

function checkArgs(node: Node, name: string, problems: Problems): Node {
  if (node.kind !== "list") return node;
  for (const item of node.items) {
    if (item.kind !== "map") problems.error(`each item of ${name} must be a map, not ${kindOf(item)}.`, item.at);
  }
  return { ...node, items: node.items.filter((item) => item.kind === "map") };
}

function checkRecord(node: MapNode, shape: RecordShape, problems: Problems, path: readonly string[]): Node {
  const { of, filled, names } = shape;
  const entries = node.entries.flatMap((one) => {
    const { key, keyAt, value } = one;
    const isNamed = names === undefined || new RegExp(names).test(key);
    if (!isNamed) problems.error(notVariableName(shorten(key)), keyAt);
    const hint = names === undefined ? "" : ' Write "" for an empty one.';
    if (filled && isEmpty(value)) problems.error(`"${shorten(key)}" has no value.${hint}`, keyAt);
    const checked = check(value, of, `"${key}"`, problems, [...path, key]);
    return isNamed ? [{ ...one, value: checked }] : [];
  });
  return { ...node, entries };
}

function checkMap(node: MapNode, shape: MapShape, name: string, problems: Problems, path: readonly string[]): Node {
  const { fields, oneOf, rest, closed = false } = shape;
  const entries = node.entries.flatMap((entry) => {
    const { key, keyAt, value } = entry;
    const field = Object.hasOwn(fields, key) ? fields[key] : rest;
    // Without this error, a user-defined key without a value would be lost silently.
    if (field === rest && field !== undefined && isEmpty(value))
      problems.error(`"${shorten(key)}" in ${name} has no value.`, keyAt);
    const refusal = field === undefined ? refusalOf(key, path) : undefined;
    if (refusal !== undefined) problems.error(`${refusal}.`, keyAt);
    else if (field === undefined && isWork(key, path) && hasNoWork(node)) {
      problems.error(`unknown key "${key}" in this job, which has nothing else to do. ${insteadOf()}`, keyAt);
    } else if (field === undefined) {
      const where = path.length === 0 ? "" : ` in ${owner(name, path)}`;
      const what = `unknown key "${shorten(key)}"${where}`;
      const hint = belongs(key, path, fields);
      if (losesOrder(key, hint, path)) problems.error(`${what}: it would not wait for other jobs. ${IN_DEPS}`, keyAt);
      else if (closed) problems.error(`${what}.${hint}`, keyAt);
      else if (losesSchedule(hint, node, path)) problems.error(`${what}.${hint} ${AT_ONCE}`, keyAt);
      else problems.warn(`${what}: it has no effect.${hint}`, keyAt);
    }
    // Later checks of a closed map would report the key again.
    if (field === undefined) return closed ? [] : [entry];
    const checked = check(value, field, `"${key}"`, problems, [...path, key]);
    return isEmpty(checked) ? [] : [{ ...entry, value: checked }];
  });
  for (const [key, field] of Object.entries(fields)) {
    if (field.required && !has(node, key)) missing(`"${key}"`, name, path, node.at, problems);
  }
  if (oneOf?.every((key) => !has(node, key))) missing(`"${oneOf[0]}"`, name, path, node.at, problems);
  return { ...node, entries };
}

const IN_DEPS = 'Write them under "deps".';

/** The names of `deps` in other programs. */
const WAITS: readonly string[] = ["depends", "dependsOn", "depends_on", "dependencies", "needs", "requires"];

function losesOrder(key: string, hint: string, path: readonly string[]): boolean {
  return path.join(".") === "jobs" && (WAITS.includes(key) || hint === ' Did you mean "deps"?');
}

const AT_ONCE = "Without it, the job has no schedule: it would run once, at the start.";

/** Whether a misspelt word was the schedule of a job. A nightly job would run in the middle of the day. */
function losesSchedule(hint: string, node: MapNode, path: readonly string[]): boolean {
  const isSchedule = path.join(".") === "jobs.typeArgs" && meansSchedule(hint);
  return isSchedule && !has(node, "cron") && !has(node, "timeInterval");
}

function has(node: MapNode, key: string): boolean {
  return node.entries.some((entry) => entry.key === key && !isEmpty(entry.value));
}

function missing(key: string, name: string, path: readonly string[], at: Position, problems: Problems): void {
  problems.error(`${owner(name, path)} has no ${key}.`, at);
}

function owner(name: string, path: readonly string[]): string {
  if (path.length === 1 && path[0] === "jobs") return "this job";
  return name.startsWith("each item of ") ? `this item of ${name.slice("each item of ".length)}` : name;
}

/** Checks a shortcut, and returns it with keys as `(if)` and `((then))`, or empty if a part is wrong. */
function checkShortcut(node: MapNode, problems: Problems): Node {
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
  const shape = shortcutNamed(first.name);
  const name = writtenKey(first.name, false);
  if (shape?.value.required && isEmpty(first.value)) {
    problems.error(missingPart(node, name, "value"), first.keyAt);
  }
  const value = shape === undefined ? first.value : check(first.value, shape.value, `"${name}"`, problems);
  const entries = [
    { key: name, keyAt: first.keyAt, value },
    ...options.flatMap((option) => checkOption(option, name, shape, problems)),
    ...others.flatMap((entry) => checkOther(entry, name, problems)),
  ];
  for (const [option, { required }] of Object.entries(shape?.options ?? {})) {
    const written = options.find((one) => one.name === option);
    if (!required || (written !== undefined && !isEmpty(written.value))) continue;
    problems.error(missingPart(node, name, option), first.keyAt);
  }
  return problems.errors.length > before ? nothing(node.at) : { ...node, entries };
}

/** The missing part of a shortcut: an option, or its `value`. */
function missingPart({ job }: MapNode, name: string, option: string): string {
  const [argument] = Object.entries(job?.args ?? {}).find(([, one]) => one === option) ?? [];
  if (job !== undefined && argument !== undefined) return `"${job.name}" needs "${argument}" among its args.`;
  return `the shortcut "${name}" needs ${option === "value" ? "a value" : `"${writtenKey(option, true)}"`}.`;
}

function checkOption(
  option: MapEntry & ShortcutKey,
  name: string,
  shape: ShortcutDefinition | undefined,
  problems: Problems,
): MapEntry[] {
  const key = writtenKey(option.name, true);
  const entry = { key, keyAt: option.keyAt };
  if (shape === undefined) return [{ ...entry, value: option.value }];
  const known = Object.hasOwn(shape.options, option.name) ? shape.options[option.name] : undefined;
  if (known !== undefined) return [{ ...entry, value: check(option.value, known, `"${key}"`, problems) }];
  const { refused = {} } = shape;
  const instead = Object.hasOwn(refused, option.name) ? refused[option.name] : undefined;
  const why = instead
    ? `"${key}" of "${name}" is not supported here: ${instead}.`
    : `the shortcut "${name}" has no option "${shorten(key)}".${optionHint(option.name, shape)}`;
  problems.error(why, option.keyAt);
  return [];
}

function optionHint(name: string, { options }: ShortcutDefinition): string {
  const known = Object.keys(options);
  const all = known.length === 0 ? " It has none." : ` It has ${known.map((one) => writtenKey(one, true)).join(", ")}.`;
  return meantKey(name, known, true) || all;
}

function checkOther(entry: MapEntry, name: string, problems: Problems): MapEntry[] {
  const { key, keyAt, value } = entry;
  if (key === "args") {
    const checked = check(value, stepArgs, '"args"', problems);
    return isEmpty(checked) ? [] : [{ ...entry, value: checked }];
  }
  if (key === "when") problems.error(`a shortcut has no "when": put "${name}" under (if), in ((then)).`, keyAt);
  else if (Object.hasOwn(stepOptions, key)) {
    const instead = `put "${name}" under "from" of a job, and name that job as the step, with "${key}".`;
    problems.error(`a shortcut has no "${key}": ${instead}`, keyAt);
  } else problems.warn(`unknown key "${shorten(key)}" in the shortcut "${name}": it has no effect.`, keyAt);
  return [];
}
