import { mutantsIn } from "./operators.js";
import { type CodeSymbol, symbolsNamed, symbolsOf } from "./symbols.js";
import type { Mutant, Place } from "./types.js";

/** The change of a row of the kept list. */
export interface Row {
  /** The package whose sources have the symbol. */
  readonly pack: string;
  /** See {@link symbolsNamed}. */
  readonly symbol: string;
  /**
   * An operator, with an anchor where it fits several places of the symbol: a piece of the innermost
   * expression or statement, `#n` for the n-th such place, or both. Or `text → other text`, where the text
   * must be in the symbol exactly once. Blanks and line breaks do not count.
   */
  readonly change: string;
}

/** The mutant that a row means. Throws with advice if it cannot be made. */
export function mutantOf(root: string, row: Row, name: string): Mutant {
  const { pack, symbol, change } = row;
  const found = symbolsNamed(root, pack, symbol);
  const [one] = found;
  const fail = (what: string): never => {
    throw new Error(`the mutant "${name}" cannot be made: ${what}. Correct it in test/mutants/kept/${pack}.txt`);
  };
  if (one === undefined) return fail(`packages/${pack}/src has no symbol ${symbol}`);
  if (found.length > 1) {
    const files = found.map(({ file }) => file).join(", ");
    return fail(`${symbol} is in ${files}. Write "file.ts:${symbol}"`);
  }
  const text = one.source.text;
  const edit = /^(.+?) →\s*(.*)$/.exec(change);
  const where = `in ${symbol} (${one.file}:${one.source.getLineAndCharacterOfPosition(placeOf(one).start).line + 1})`;
  if (edit === null) {
    const { mutant, problem } = chosen(text, mutantsIn(one.source, one.node, true), change);
    return mutant === undefined ? fail(`"${change}" ${where} ${problem}`) : { ...mutant, name };
  }
  const [, search = "", replacement = ""] = edit;
  const { start, end } = placeOf(one);
  const places = find(text.slice(start, end), search);
  const [place] = places;
  if (place === undefined || places.length > 1) {
    return fail(`the text "${search}" ${where} is there ${places.length} times. It must be there once`);
  }
  const about = { start: start + place.start, end: start + place.end };
  return { file: one.file, name, operator: "edit", ...about, replacement, about };
}

function placeOf({ node, source }: CodeSymbol): Place {
  return { start: node.getStart(source), end: node.getEnd() };
}

const WORD = "\\w$";
const SIGN = "<>=!&|?*/+-";

/** Where a text has a piece of code: whole words and signs, with any blanks between them. */
function find(text: string, piece: string): Place[] {
  const tokens = tokensOf(piece).map(({ token }) => token);
  const edge = (token: string, of: string): string => (new RegExp(`^[${of}]`).test(token) ? of : "");
  const source = tokens.map((token, i) => {
    const blanks = i === 0 ? "" : edge(token, WORD) && edge(tokens[i - 1] ?? "", WORD) ? "\\s+" : "\\s*";
    return blanks + token.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  });
  const [first = "", last = ""] = [tokens[0], tokens.at(-1)];
  const notBefore = edge(first, WORD) || edge(first, SIGN);
  const notAfter = edge(last.replace(/^#/, ""), WORD) || edge(last, SIGN);
  const pattern = `${notBefore && `(?<![${notBefore}])`}${source.join("")}${notAfter && `(?![${notAfter}])`}`;
  return [...text.matchAll(new RegExp(pattern, "g"))].map(({ index, 0: { length } }) => ({
    start: index,
    end: index + length,
  }));
}

function tokensOf(code: string): { readonly token: string; readonly start: number; readonly end: number }[] {
  return [...code.matchAll(/#?[\w$]+|[<>=!&|?*/+-]+|[^\s]/g)].map(({ index, 0: token }) => ({
    token,
    start: index,
    end: index + token.length,
  }));
}

/** The one of the mutants of a symbol that an operator and its anchor mean, or why there is not one. */
function chosen(
  text: string,
  all: readonly Mutant[],
  change: string,
): { readonly mutant?: Mutant | undefined; readonly problem?: string } {
  const operators = [...new Set(all.map(({ operator }) => operator))];
  const [operator] = operators
    .filter((it) => change === it || change.startsWith(`${it} `))
    .sort((a, b) => b.length - a.length);
  if (operator === undefined) return { problem: `fits no place. Operators that do: ${operators.join(", ")}` };
  const [, anchor = "", nth] = /^(.*?)\s*(?:#(\d+))?$/.exec(change.slice(operator.length + 1)) ?? [];
  const fitting = matching(text, all, operator, anchor);
  if (fitting.length === 0) return { problem: `fits no place with "${anchor}"` };
  if (nth !== undefined) return { mutant: fitting[Number(nth) - 1], problem: `fits only ${fitting.length} places` };
  if (fitting.length === 1) return { mutant: fitting[0] };
  const places = fitting.map(({ about }) => short(text, about)).join(" | ");
  return {
    problem: `fits ${fitting.length} places. Add a piece of one of them, or #1 to #${fitting.length}: ${places}`,
  };
}

function short(text: string, { start, end }: Place): string {
  return text.slice(start, end).replace(/\s+/g, " ").slice(0, 60);
}

/** The mutants of an operator whose place has the anchor, except those with another such place in them. */
function matching(text: string, all: readonly Mutant[], operator: string, anchor: string): Mutant[] {
  const of = all.filter((it) => it.operator === operator);
  if (anchor === "") return of;
  const fitting = of.filter(({ about }) => find(text.slice(about.start, about.end), anchor).length > 0);
  const isAround = (a: Place, b: Place): boolean =>
    a.start <= b.start && a.end >= b.end && a.end - a.start > b.end - b.start;
  return fitting.filter(({ about }) => !fitting.some((other) => isAround(about, other.about)));
}

/** The shortest change that means this mutant: its operator, with a name, a piece or a number if needed. */
function shortest(text: string, all: readonly Mutant[], mutant: Mutant): string {
  const { operator, about } = mutant;
  const same = all.filter((it) => it.operator === operator);
  if (same.length === 1) return operator;
  const place = text.slice(about.start, about.end);
  const tokens = tokensOf(place).slice(0, 40);
  const called = [...place.matchAll(/(#?[\w$]+)\(/g)].map(([, name = ""]) => name);
  const words = tokens.map(({ token }) => token).filter((token) => /^#?\w+$/.test(token));
  const names = words.filter((word) => /^#?[A-Za-z]\w/.test(word));
  const pieces = [2, 3, 4, 5].flatMap((count) =>
    tokens.flatMap(({ start }, i) => {
      const last = tokens[i + count - 1];
      return last === undefined ? [] : [place.slice(start, last.end).replace(/\s+/g, " ")];
    }),
  );
  const anchors = [...called, ...names, ...words, ...pieces.sort((a, b) => a.length - b.length)];
  const tried = [...new Set(["", ...anchors])].map((anchor) => {
    const fitting = matching(text, same, operator, anchor);
    return { anchor, of: fitting.length, nth: fitting.indexOf(mutant) + 1 };
  });
  const [best] = tried.filter(({ nth }) => nth > 0).sort((a, b) => a.of - b.of);
  if (best === undefined) return operator;
  return [operator, best.anchor, best.of > 1 ? `#${best.nth}` : ""].filter((it) => it !== "").join(" ");
}

/** How the kept list would name a mutant that an operator made: `symbol: operator anchor`. */
export function rowOf(mutant: Mutant, text: string): string {
  const { file, operator, start, end } = mutant;
  const around = symbolsOf(file, text).filter((it) => placeOf(it).start <= start && placeOf(it).end >= end);
  // A class comes before its members.
  const symbol = around.at(-1);
  if (symbol === undefined) return `${file}: ${operator}`;
  const all = mutantsIn(symbol.source, symbol.node, true);
  const same = all.find((it) => it.operator === operator && it.start === start && it.end === end);
  return `${symbol.name}: ${same === undefined ? operator : shortest(text, all, same)}`;
}
