import type { Position, Problems } from "../problem.js";
import type { Args, CatchItem, CodeBlock, JobDefinition, JobReference, TodoEntry } from "./jobfile.js";
import { child, entry, itemsOf, type Node, toMap } from "./node.js";

/** The text of a scalar, as it is written: a job may be called 42. */
export function textOf(node: Node | undefined): string | undefined {
  return node?.kind === "scalar" && node.value !== null ? String(node.value) : undefined;
}

function codeBlock(node: Node | undefined): CodeBlock | undefined {
  const code = textOf(node);
  if (code === undefined || node?.kind !== "scalar") return undefined;
  return { code, source: node.at.source, ...node.text };
}

function references(node: Node | undefined): JobReference[] {
  return itemsOf(node).flatMap((item) => {
    const job = textOf(item);
    return job === undefined ? [] : [{ job, at: item.at }];
  });
}

function catchItems(node: Node | undefined): CatchItem[] {
  return itemsOf(node).flatMap((item) => {
    const block = codeBlock(item);
    return block === undefined ? [] : [{ block, at: item.at }];
  });
}

function readArgs(node: Node | undefined): { args: Args[]; argsAt: Record<string, Position> } {
  const maps = itemsOf(node);
  const places = maps.flatMap((map) => (map.kind === "map" ? map.entries : [])).map((one) => [one.key, one.value.at]);
  return { args: maps.map(toMap), argsAt: Object.fromEntries(places) };
}

/** A job out of a checked node. */
export function readJob(node: Node): JobDefinition | undefined {
  const name = textOf(child(node, "name"));
  if (name === undefined) return undefined;
  const exec = codeBlock(child(node, "exec"));
  return {
    name,
    at: entry(node, "name")?.value.at ?? node.at,
    ...(exec && { exec }),
    ...readArgs(child(node, "args")),
    from: references(child(node, "from")),
    to: references(child(node, "to")),
    catch: catchItems(child(node, "catch")),
  };
}

/** An item of `todo` out of a checked node. */
export function readTodoEntry(node: Node, problems: Problems): TodoEntry | undefined {
  if (node.kind === "scalar") return { job: textOf(node) ?? "", at: node.at, args: [], argsAt: {} };
  const name = child(node, "name") ?? child(node, "job");
  if (name === undefined) {
    problems.error('this item of "todo" has no "name".', node.at);
    return undefined;
  }
  return { job: textOf(name) ?? "", at: name.at, ...readArgs(child(node, "args")) };
}
