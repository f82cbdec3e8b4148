import { maskUrls } from "@ojm/core/internal";
import type { Position } from "../../text/problem.js";
import type { CodeBlock } from "../job-file.js";

/** A piece of a YAML file and where it stands. It is independent of the parser. */
export type Node = MapNode | ListNode | ScalarNode;

/** A map. Its keys are in the order of the file, and `<<` is merged. */
export interface MapNode {
  readonly kind: "map";
  readonly at: Position;
  readonly entries: readonly MapEntry[];
  /** The job of OpenAF, if the file writes the shortcut as one. */
  readonly job?: JobOfOpenAf;
}

/** A job of OpenAF that is read as a shortcut. */
export interface JobOfOpenAf {
  readonly name: string;
  /** Its arguments: which option of the shortcut each is, or its `value`. */
  readonly args: Readonly<Record<string, string>>;
}

export interface MapEntry {
  readonly key: string;
  readonly keyAt: Position;
  readonly value: Node;
}

export interface ListNode {
  readonly kind: "list";
  readonly at: Position;
  readonly items: readonly Node[];
}

export interface ScalarNode {
  readonly kind: "scalar";
  readonly at: Position;
  readonly value: string | number | boolean | null;
  readonly text: TextPlace;
}

/** Where the text of a scalar starts, so that a script's error can be shown at its line. */
export type TextPlace = Pick<CodeBlock, "line" | "indent" | "exact">;

export function entry(node: Node | undefined, key: string): MapEntry | undefined {
  return node?.kind === "map" ? node.entries.find((one) => one.key === key) : undefined;
}

/** The value of a map under `key`. `undefined` if it is absent or empty. */
export function child(node: Node | undefined, key: string): Node | undefined {
  const value = entry(node, key)?.value;
  return value === undefined || isEmpty(value) ? undefined : value;
}

/** The node of an absent value, as in `to:` with nothing behind it. */
export function nothing(at: Position): ScalarNode {
  return { kind: "scalar", at, value: null, text: { line: at.line, indent: 0, exact: false } };
}

export function isEmpty(node: Node): boolean {
  return node.kind === "scalar" && node.value === null;
}

/** The text of a scalar. A job may be called 42. */
export function textOf(node: Node | undefined): string | undefined {
  return node?.kind === "scalar" && node.value !== null ? String(node.value) : undefined;
}

/** The items of a list. Any other node is its own only item: `to: A` and `to: [A]` mean the same. */
export function itemsOf(node: Node | undefined): readonly Node[] {
  if (node === undefined || isEmpty(node)) return [];
  return node.kind === "list" ? node.items : [node];
}

export function toValue(node: Node): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(toValue);
  // fromEntries defines fields, so a key "__proto__" is a field like any other.
  return Object.fromEntries(node.entries.map(({ key, value }) => [key, toValue(value)]));
}

/** The plain value of a map node, `{}` for anything else. */
export function toMap(node: Node | undefined): Record<string, unknown> {
  return node?.kind === "map" ? (toValue(node) as Record<string, unknown>) : {};
}

export function kindOf(node: Node): string {
  if (node.kind !== "scalar") return `a ${node.kind}`;
  if (node.value === null) return "nothing";
  if (typeof node.value === "string") return `the text ${JSON.stringify(shorten(maskUrls(node.value)))}`;
  // YAML writes NaN as .nan.
  return Number.isNaN(node.value) ? ".nan" : String(node.value);
}

export function firstLine(text: string | undefined): string {
  return text?.trim().split("\n", 1)[0] ?? "";
}

export function shorten(text: string): string {
  const line = text.split("\n", 1)[0] ?? "";
  return line.length < text.length || line.length > 40 ? `${line.slice(0, 40)}…` : line;
}

/** The script, or any other text, that a scalar holds. */
export function codeBlock(node: Node | undefined): CodeBlock | undefined {
  const code = textOf(node);
  if (code === undefined || node?.kind !== "scalar") return undefined;
  return { code, source: node.at.source, ...node.text };
}

/** The places of the keys of a map, and of those of maps within it, `levels` deep. */
export function placesIn(node: Node, levels: number, path = ""): [string, Position][] {
  if (levels === 0) return [];
  return entriesOf(node).flatMap(({ key, value }) => [
    [path + key, value.at] as [string, Position],
    ...placesIn(value, levels - 1, `${path}${key}.`),
  ]);
}

export function entriesOf(node: Node | undefined): readonly MapEntry[] {
  return node?.kind === "map" ? node.entries : [];
}
