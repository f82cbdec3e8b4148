import type { Position } from "../../text/problem.js";
import type { Args, CodeBlock, StepOptions } from "../job-file.js";
import { itemsOf, type MapEntry, type Node, textOf, toMap } from "../yaml/node.js";

/** The script, or any other text, that a scalar holds. */
export function codeBlock(node: Node | undefined): CodeBlock | undefined {
  const code = textOf(node);
  if (code === undefined || node?.kind !== "scalar") return undefined;
  return { code, source: node.at.source, ...node.text };
}

/** Arguments as they are written: a map, a list of maps, or code. */
export interface ReadArgs {
  readonly args: Args[];
  readonly argsAt: Record<string, Position>;
  readonly argsCode?: CodeBlock;
}

/** Reads the arguments of a job. */
export function readArgs(node: Node | undefined): ReadArgs {
  const argsCode = codeBlock(node);
  if (argsCode !== undefined) return { args: [], argsAt: {}, argsCode };
  const maps = itemsOf(node);
  const places = maps.flatMap((map) => placesIn(map, 3));
  return { args: maps.map(toMap), argsAt: Object.fromEntries(places) };
}

/** Where the keys of a map stand, and those of maps within it, so many levels deep. */
export function placesIn(node: Node, levels: number, path = ""): [string, Position][] {
  if (levels === 0) return [];
  return entriesOf(node).flatMap(({ key, value }) => [
    [path + key, value.at] as [string, Position],
    ...placesIn(value, levels - 1, `${path}${key}.`),
  ]);
}

/** The entries of a map; none of anything else. */
export function entriesOf(node: Node | undefined): readonly MapEntry[] {
  return node?.kind === "map" ? node.entries : [];
}

/** The options of a step. */
export function stepOptions(node: Node | undefined): StepOptions {
  const { timeout, continueOnError } = toMap(node) as StepOptions;
  return { ...(timeout !== undefined && { timeout }), ...(continueOnError !== undefined && { continueOnError }) };
}
