import type { Shape } from "../load/shape.js";
import { type Node, nothing } from "../load/yaml/node.js";
import { writtenKey } from "../shortcuts/syntax.js";
import { SHORTCUTS } from "../shortcuts/table.js";
import { SourceFile } from "../text/problem.js";

/** Values of every kind, for places that expect another kind. */
export const KINDS: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  "",
  "a text",
  "{{template}}",
  "1h",
  [],
  [null],
  ["a text"],
  [{}],
  [[]],
  {},
  { name: "a" },
  { a: null },
];

/** A value that has every key of a shape. Where several shapes are allowed, it has the one of that number. */
export function fullValue(shape: Shape, choice = 0): unknown {
  switch (shape.kind) {
    case "text":
    case "code":
      return "text";
    case "flag":
      return true;
    case "any":
      return { any: [1, "thing"] };
    case "args":
      return choice % 2 === 0 ? { a: 1 } : [{ a: 1 }, { a: 2 }];
    case "number":
      return shape.min;
    case "word":
      return shape.words[choice % shape.words.length];
    case "list":
      return [fullValue(shape.of, choice), fullValue(shape.of, choice + 1)];
    case "some":
      return choice % 2 === 0 ? [fullValue(shape.of, choice)] : fullValue(shape.of, choice);
    case "either":
      return fullValue(shape.of[(choice >> 1) % shape.of.length] ?? shape, choice);
    case "record": {
      const keys = shape.names === undefined ? ["a.js", "b.js"] : ["A", "B_2"];
      return Object.fromEntries(keys.map((key) => [key, fullValue(shape.of, choice)]));
    }
    case "shortcut": {
      const names = Object.keys(SHORTCUTS);
      return fullShortcut(names[choice % names.length] ?? "");
    }
    case "map": {
      const fields = Object.entries({ ...shape.fields, ...(shape.rest && { own: shape.rest }) });
      return Object.fromEntries(fields.map(([key, field]) => [key, fullValue(field, choice)]));
    }
  }
}

/** A shortcut with every option that it has. With the choice 0 the jobs in it are texts. */
export function fullShortcut(name: string, choice = 0): unknown {
  const { value, options } = SHORTCUTS[name] ?? { value: undefined, options: {} };
  const entries = Object.entries(options).map(([option, shape]) => [
    writtenKey(option, true),
    fullValue(shape, choice),
  ]);
  const whole = value === undefined ? null : fullValue(value, choice);
  return { [writtenKey(name, false)]: whole, ...Object.fromEntries(entries), args: { a: 1 } };
}

/** The keys that lead to a piece of a value. */
export type ValuePath = readonly (string | number)[];

/** The paths to all pieces of a value, itself among them. */
export function pathsOf(value: unknown, path: ValuePath = []): ValuePath[] {
  const children = typeof value === "object" && value !== null ? Object.entries(value) : [];
  const step = (key: string): string | number => (Array.isArray(value) ? Number(key) : key);
  return [path, ...children.flatMap(([key, child]) => pathsOf(child, [...path, step(key)]))];
}

/** The piece of a value at a path. */
export function pieceAt(value: unknown, path: ValuePath): unknown {
  return path.reduce<unknown>((piece, key) => (piece as Record<string | number, unknown>)[key], value);
}

/** A copy of a value with another piece at a path. */
export function withPiece(value: unknown, path: ValuePath, piece: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return piece;
  const next = withPiece((value as Record<string | number, unknown>)[key], rest, piece);
  if (Array.isArray(value)) return value.map((item, i) => (i === key ? next : item));
  return { ...(value as object), [key]: next };
}

/** A copy of a value without the piece at a path. */
export function withoutPiece(value: unknown, path: ValuePath): unknown {
  const last = path.at(-1);
  if (last === undefined) return undefined;
  const parent = pieceAt(value, path.slice(0, -1)) as object;
  const entries = Object.entries(parent).filter(([key]) => key !== String(last));
  const rest = Array.isArray(parent) ? entries.map(([, item]) => item) : Object.fromEntries(entries);
  return withPiece(value, path.slice(0, -1), rest);
}

/** The required keys of a map. */
const NEEDED: readonly string[] = ["name", "path"];

/** A map with one of these keys stays whole: it needs most of its keys. */
const WHOLE: readonly string[] = ["on", "smtp", "pass", "host"];

/**
 * The smallest value that still has the list or the map around the piece at a path, and the path of the piece
 * in it: the rest of the file does not change the verdict on a piece, and checking it would waste time.
 */
export function surroundings(value: unknown, path: ValuePath): { readonly value: unknown; readonly path: ValuePath } {
  const [key, ...rest] = path;
  if (key === undefined || rest.length === 0) return { value, path };
  const inner = surroundings((value as Record<string | number, unknown>)[key], rest);
  if (Array.isArray(value)) return { value: [inner.value], path: [0, ...inner.path] };
  const isWhole = WHOLE.some((one) => Object.hasOwn(value as object, one));
  const isNeeded = (one: string): boolean => isWhole || NEEDED.includes(one) || one.startsWith("(");
  const needed = Object.entries(value as object).filter(([one]) => isNeeded(one));
  return { value: { ...Object.fromEntries(needed), [key]: inner.value }, path: [key, ...inner.path] };
}

const at = { source: new SourceFile("value.yaml", "value.yaml", ""), line: 1, column: 1 };

/** The node that the parser would make from a file with this value. */
export function nodeOf(value: unknown): Node {
  if (Array.isArray(value)) return { kind: "list", at, items: value.map(nodeOf) };
  if (typeof value !== "object" || value === null) return { ...nothing(at), value: value as string | number | null };
  const entries = Object.entries(value).map(([key, piece]) => ({ key, keyAt: at, value: nodeOf(piece) }));
  return { kind: "map", at, entries };
}
