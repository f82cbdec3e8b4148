import { nearest } from "@ojm/core/backend";
import type { Position, Problems } from "../problem.js";
import { isEmpty, kindOf, type MapNode, type Node } from "./node.js";
import type { Fields, Shape } from "./shape.js";

/** Holds a piece of a job file against what may stand there. `name` is what the piece is called in messages. */
export function check(node: Node, shape: Shape, name: string, problems: Problems): void {
  // A key with nothing behind it is as good as none: what must be there is asked for by its map.
  if (isEmpty(node)) return;
  const wrong = mismatch(node, shape);
  if (wrong !== undefined) {
    problems.error(`${name} must be ${wrong}, not ${kindOf(node)}.`, node.at);
    return;
  }
  if (shape.kind === "map" && node.kind === "map") checkMap(node, shape.fields, name, problems);
  else if (shape.kind === "either") check(node, pick(node, shape.of) ?? shape, name, problems);
  else if (shape.kind === "list" || shape.kind === "some") checkItems(node, shape.of, name, problems);
}

/** What the shape wants, in words, if the node is nothing of the kind. */
function mismatch(node: Node, shape: Shape): string | undefined {
  const value = node.kind === "scalar" ? node.value : undefined;
  switch (shape.kind) {
    case "any":
      return undefined;
    case "text":
    case "code":
      return node.kind === "scalar" ? undefined : "a text";
    case "flag":
      return typeof value === "boolean" ? undefined : "true or false";
    case "number":
      return isNumber(value, shape) ? undefined : numberInWords(shape);
    case "word":
      return shape.words.includes(String(value)) ? undefined : `one of ${shape.words.join(", ")}`;
    case "args":
      return node.kind === "scalar" ? "a map or a list of maps" : undefined;
    case "list":
    case "map":
      return node.kind === shape.kind ? undefined : `a ${shape.kind}`;
    case "some":
      return node.kind === "list" ? undefined : orList(mismatch(node, shape.of));
    case "either":
      return pick(node, shape.of) === undefined ? shape.of.map((one) => mismatch(node, one)).join(" or ") : undefined;
  }
}

function orList(wanted: string | undefined): string | undefined {
  return wanted === undefined ? undefined : `${wanted} or a list of them`;
}

function pick(node: Node, shapes: readonly Shape[]): Shape | undefined {
  return shapes.find((shape) => mismatch(node, shape) === undefined);
}

function isNumber(value: unknown, shape: Shape & { kind: "number" }): boolean {
  if (typeof value !== "number" || !Number.isFinite(value) || value < shape.min) return false;
  return !shape.whole || Number.isInteger(value);
}

function numberInWords({ min, unit, whole }: Shape & { kind: "number" }): string {
  const number = whole ? "a whole number" : "a number";
  return `${number} of ${unit}, ${min} or more`;
}

function checkItems(node: Node, of: Shape, name: string, problems: Problems): void {
  const items = node.kind === "list" ? node.items : [node];
  for (const item of items) {
    if (isEmpty(item)) problems.error(`${name} has an item with nothing in it.`, item.at);
    else check(item, of, items.length > 1 || node.kind === "list" ? `each item of ${name}` : name, problems);
  }
}

function checkMap(node: MapNode, fields: Fields, name: string, problems: Problems): void {
  for (const { key, keyAt, value } of node.entries) {
    const shape = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (shape === undefined) problems.warn(unknownKey(key, fields, name), keyAt);
    else if (shape.later) problems.warn(`"${key}" is not supported yet and has no effect.`, keyAt);
    else check(value, shape, `"${key}"`, problems);
  }
  for (const [key, shape] of Object.entries(fields)) {
    if (shape.required && !has(node, key)) missing(key, name, node.at, problems);
  }
}

function has(node: MapNode, key: string): boolean {
  return node.entries.some((entry) => entry.key === key && !isEmpty(entry.value));
}

function missing(key: string, name: string, at: Position, problems: Problems): void {
  const owner = name === 'each item of "jobs"' ? "this job" : name;
  problems.error(`${owner} has no "${key}".`, at);
}

function unknownKey(key: string, fields: Fields, name: string): string {
  const near = nearest(key, Object.keys(fields));
  const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
  return `unknown key "${key}"${name === "" ? "" : ` in ${name}`}: it has no effect.${hint}`;
}
