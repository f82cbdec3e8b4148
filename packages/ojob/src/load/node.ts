import type { Position } from "../problem.js";
import { maskUrls } from "../secrets.js";

/** A piece of a YAML file and where it stands, without anything of the parser that made it. */
export type Node = MapNode | ListNode | ScalarNode;

/** A map. Keys are in the order of the file; `<<` is already merged in. */
export interface MapNode {
  readonly kind: "map";
  readonly at: Position;
  readonly entries: readonly MapEntry[];
}

/** A key and its value. */
export interface MapEntry {
  readonly key: string;
  readonly keyAt: Position;
  readonly value: Node;
}

/** A list. */
export interface ListNode {
  readonly kind: "list";
  readonly at: Position;
  readonly items: readonly Node[];
}

/** Anything else. */
export interface ScalarNode {
  readonly kind: "scalar";
  readonly at: Position;
  readonly value: string | number | boolean | null;
  readonly text: TextPlace;
}

/** Where the text of a scalar starts, so that a script's error can be shown at its line. */
export interface TextPlace {
  /** The line of the file that holds the first line of the text. */
  readonly line: number;
  /** How many characters stand before each line of the text in the file. */
  readonly indent: number;
  /** Whether line n of the text is line n of the file: not so in folded and multi-line quoted text. */
  readonly exact: boolean;
}

/** The entry of a map under `key`. */
export function entry(node: Node | undefined, key: string): MapEntry | undefined {
  return node?.kind === "map" ? node.entries.find((one) => one.key === key) : undefined;
}

/** The value of a map under `key`; `undefined` where it is not there or empty. */
export function child(node: Node | undefined, key: string): Node | undefined {
  const value = entry(node, key)?.value;
  return value === undefined || isEmpty(value) ? undefined : value;
}

/** The node of what is not there: `to:` with nothing behind it. */
export function nothing(at: Position): ScalarNode {
  return { kind: "scalar", at, value: null, text: { line: at.line, indent: 0, exact: false } };
}

/** Whether nothing was written. */
export function isEmpty(node: Node): boolean {
  return node.kind === "scalar" && node.value === null;
}

/** The text of a scalar, as it is written: a job may be called 42. */
export function textOf(node: Node | undefined): string | undefined {
  return node?.kind === "scalar" && node.value !== null ? String(node.value) : undefined;
}

/** The items of a list, the node itself if it is no list, nothing if there is none: `to: A` and `to: [A]` are the same. */
export function itemsOf(node: Node | undefined): readonly Node[] {
  if (node === undefined || isEmpty(node)) return [];
  return node.kind === "list" ? node.items : [node];
}

/** The plain value of a node. */
export function toValue(node: Node): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(toValue);
  // fromEntries defines the fields: a key "__proto__" stays a field like any other.
  return Object.fromEntries(node.entries.map(({ key, value }) => [key, toValue(value)]));
}

/** The plain value of a map node, `{}` for anything else. */
export function toMap(node: Node | undefined): Record<string, unknown> {
  return node?.kind === "map" ? (toValue(node) as Record<string, unknown>) : {};
}

/** What a node is, in the words of an error message. */
export function kindOf(node: Node): string {
  if (node.kind !== "scalar") return `a ${node.kind}`;
  if (node.value === null) return "nothing";
  return typeof node.value === "string"
    ? `the text ${JSON.stringify(shorten(maskUrls(node.value)))}`
    : String(node.value);
}

/** The start of a text, for a message. */
export function shorten(text: string): string {
  const line = text.split("\n", 1)[0] ?? "";
  return line.length < text.length || line.length > 40 ? `${line.slice(0, 40)}…` : line;
}
