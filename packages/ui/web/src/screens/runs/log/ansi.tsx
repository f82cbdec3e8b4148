import Anser from "anser";
import type { VNode } from "preact";

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for.
const SEQUENCES = /\u001b\[[0-9;?<=>!]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)/g;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are made visible.
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f]/g;

/** The text of a line without its colours. Control characters are shown as symbols. */
export const plain = (text: string): string => visible(text.replaceAll(SEQUENCES, ""));

/** They reverse the text after them: a file name could be read as another one. */
const TURNS = /[\u202a-\u202e\u2066-\u2069]/g;

/** A text with its control characters as symbols. */
const visible = (text: string): string =>
  text
    .replaceAll(CONTROLS, (each) => (each === "\u007f" ? "\u2421" : String.fromCharCode(0x2400 + each.charCodeAt(0))))
    .replaceAll(TURNS, (each) => `\\u${each.charCodeAt(0).toString(16)}`);

interface Piece {
  readonly text: string;
  readonly classes: string;
  readonly color?: string;
}

function piecesOf(text: string): readonly Piece[] {
  if (!text.includes("\u001b")) return [{ text: visible(text), classes: "" }];
  const links = text.replaceAll(SEQUENCES, (sequence) => (sequence.startsWith("\u001b]") ? "" : sequence));
  return Anser.ansiToJson(links, { use_classes: true, remove_empty: true }).map((piece): Piece => {
    const { content, fg, bg, decorations, fg_truecolor: exact } = piece;
    const color = exact ? `rgb(${exact})` : paletteColor(fg);
    // A bright colour is shown as the colour.
    const hue = color === undefined ? fg?.replace("bright-", "") : undefined;
    const classes = [hue, bg && `${bg}-bg`, ...decorations.map((each) => `ansi-${each}`)].filter(Boolean).join(" ");
    return { text: visible(content), classes, ...(color !== undefined && { color }) };
  });
}

/** The colour of an index of the palette of 256: a cube of 6 × 6 × 6, and 24 greys. */
function paletteColor(name: string | null): string | undefined {
  const at = Number(/^ansi-palette-(\d+)$/.exec(name ?? "")?.[1] ?? Number.NaN);
  if (!(at >= 16)) return undefined;
  if (at >= 232) return `rgb(${Array.from({ length: 3 }, () => 8 + (at - 232) * 10).join()})`;
  const level = (n: number): number => (n === 0 ? 0 : 55 + n * 40);
  return `rgb(${[Math.floor((at - 16) / 36), Math.floor((at - 16) / 6) % 6, (at - 16) % 6].map(level).join()})`;
}

interface TextProps {
  readonly text: string;
  /** The search text: see {@link placesOf}. */
  readonly found: string;
}

/** A web address, without punctuation that ends the sentence. */
const ADDRESS = /\bhttps?:\/\/[^\s<>"'`\\]*[^\s<>"'`\\.,;:!?()[\]{}]/gi;

type Parts = readonly (readonly [from: number, to: number])[];

/** The text of a line with its colours, matches marked, and web addresses as links: only text nodes. */
export function LineText({ text, found }: TextProps): VNode {
  const pieces = piecesOf(text);
  const whole = pieces.map((piece) => piece.text).join("");
  const marks = placesOf(whole, found);
  const links = [...whole.matchAll(ADDRESS)].map(({ index, 0: { length } }) => [index, index + length] as const);
  return (
    <>
      {cut(links, 0, whole.length, (from, to, isLink) => {
        const part = <Styled pieces={pieces} marks={marks} from={from} to={to} />;
        if (!isLink) return part;
        return (
          <a href={whole.slice(from, to)} target="_blank" rel="noopener noreferrer">
            {part}
          </a>
        );
      })}
    </>
  );
}

interface StyledProps {
  readonly pieces: readonly Piece[];
  readonly marks: Parts;
  readonly from: number;
  readonly to: number;
}

function Styled({ pieces, marks, from, to }: StyledProps): VNode {
  let end = 0;
  return (
    <>
      {pieces.map(({ text, classes, color }) => {
        const start = end;
        end += text.length;
        if (end <= from || start >= to) return null;
        const parts = cut(marks, Math.max(start, from), Math.min(end, to), (a, b, isMark) => {
          const part = text.slice(a - start, b - start);
          return isMark ? <mark>{part}</mark> : part;
        });
        if (classes === "" && color === undefined) return parts;
        return (
          <span class={classes} {...(color !== undefined && { style: { color } })}>
            {parts}
          </span>
        );
      })}
    </>
  );
}

/** Splits the text between two places at the edges of parts. */
function cut<T>(parts: Parts, from: number, to: number, draw: (from: number, to: number, isPart: boolean) => T): T[] {
  const drawn: T[] = [];
  const add = (start: number, end: number, isPart: boolean): void => {
    if (start < end) drawn.push(draw(start, end, isPart));
  };
  let at = from;
  for (const [start, end] of parts) {
    if (end <= at || start >= to) continue;
    add(at, start, false);
    at = Math.min(end, to);
    add(Math.max(start, from), at, true);
  }
  add(at, to, false);
  return drawn;
}

let latest: readonly [found: string, expression: RegExp | undefined] = ["", undefined];

/** The expression of a search text such as `/time(out|d out)/`; `undefined` for another one. */
export function expressionOf(found: string): RegExp | undefined {
  if (found !== latest[0]) latest = [found, compiled(found)];
  return latest[1];
}

/** Whether a text between slashes is not a regular expression. */
export const isBroken = (found: string): boolean => /^\/.+\/$/.test(found) && expressionOf(found) === undefined;

function compiled(found: string): RegExp | undefined {
  const source = /^\/(.+)\/$/.exec(found)?.[1];
  if (source === undefined) return undefined;
  try {
    return new RegExp(source, "gi");
  } catch {
    // While it is typed, it is no expression yet.
    return undefined;
  }
}

/**
 * The places of a search text in a line, whatever their case: of a text, or between slashes of a regular
 * expression.
 */
export function placesOf(line: string, found: string): Parts {
  if (found === "") return [];
  const expression = expressionOf(found);
  if (expression !== undefined)
    return [...line.matchAll(expression)]
      .filter(({ 0: { length } }) => length > 0)
      .map(({ index, 0: { length } }) => [index, index + length] as const);
  const [small, text] = [line.toLowerCase(), found.toLowerCase()];
  const places: [number, number][] = [];
  for (let at = small.indexOf(text); at !== -1; at = small.indexOf(text, at + text.length))
    places.push([at, at + text.length]);
  // Some letters have a lower case form of another length: the places would not match the line.
  return small.length === line.length ? places : places.map(() => [0, 0] as const);
}
