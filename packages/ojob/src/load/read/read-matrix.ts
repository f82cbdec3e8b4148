import type { Args, JobDefinition, Matrix, PlacedArgs } from "../job-file.js";
import { combinations } from "../matrix.js";
import { child, itemsOf, type Node, toMap, toValue } from "../yaml/node.js";

type Written = Pick<JobDefinition, "args" | "argsAt" | "argsCode">;

/**
 * The arguments of a job with the combinations of its matrix, from a checked node. Each combination runs with
 * each of the maps in `args`. `args` are written after it, so that templates in them find its values.
 */
export function withMatrix(node: Node | undefined, written: Written): Written & Pick<JobDefinition, "matrix"> {
  if (node?.kind !== "map") return written;
  const { args, argsAt } = written;
  const matrix = readMatrix(node, argsAt);
  const places = [argsAt, ...matrix.include.map(({ keysAt }) => keysAt)].flatMap((one) => Object.entries(one));
  const axes = matrix.axes.map(({ name, at }) => [name, at] as const);
  const maps = args.length > 0 ? args : [{}];
  return {
    ...written,
    args: combinations(matrix).flatMap((combination) => maps.map((map) => merged(combination, map))),
    argsAt: Object.fromEntries([...places, ...axes]),
    matrix,
  };
}

function merged(combination: Args, map: Args): Args {
  const rest = Object.entries(map).filter(([name]) => !Object.hasOwn(combination, name));
  return Object.fromEntries([...Object.entries(combination), ...rest]);
}

function readMatrix(node: Node & { readonly kind: "map" }, argsAt: Written["argsAt"]): Matrix {
  const axes = node.entries.flatMap(({ key: name, keyAt: at, value }) =>
    name === "include" || name === "exclude" ? [] : [{ name, at, values: itemsOf(value).map(toValue) }],
  );
  const hidden = axes.flatMap(({ name }) => {
    const at = Object.hasOwn(argsAt, name) ? argsAt[name] : undefined;
    return at === undefined ? [] : [{ name, at }];
  });
  return {
    at: node.at,
    axes,
    include: placedArgs(child(node, "include")),
    exclude: placedArgs(child(node, "exclude")),
    hidden,
  };
}

function placedArgs(node: Node | undefined): PlacedArgs[] {
  return itemsOf(node).flatMap((item) => {
    if (item.kind !== "map") return [];
    const keysAt = Object.fromEntries(item.entries.map(({ key, keyAt }) => [key, keyAt]));
    return [{ args: toMap(item), at: item.at, keysAt }];
  });
}
