import Anser from "anser";
import type { VNode } from "preact";

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for.
const SEQUENCES = /\u001b\[[0-9;?<=>!]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)/g;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are made visible.
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f]/g;

/** The text of a line without its colours. Control characters are shown as their symbols. */
export const plain = (text: string): string => visible(text.replaceAll(SEQUENCES, ""));

/** They turn round what follows them: the name of a file could be read as another one. */
const TURNS = /[\u202a-\u202e\u2066-\u2069]/g;

/** A text whose control characters are shown as their symbols. */
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
    const backed = bg ? `${bg}-bg` : "";
    const classes = [color === undefined ? fg : "", backed, ...decorations.map((each) => `ansi-${each}`)]
      .filter(Boolean)
      .join(" ");
    return { text: visible(content), classes, ...(color !== undefined && { color }) };
  });
}

/** The colour of a place in the palette of 256: a cube of 6 × 6 × 6, and 24 greys. */
function paletteColor(name: string | null): string | undefined {
  const at = Number(/^ansi-palette-(\d+)$/.exec(name ?? "")?.[1] ?? Number.NaN);
  if (!(at >= 16)) return undefined;
  if (at >= 232) return `rgb(${Array.from({ length: 3 }, () => 8 + (at - 232) * 10).join()})`;
  const level = (n: number): number => (n === 0 ? 0 : 55 + n * 40);
  return `rgb(${[Math.floor((at - 16) / 36), Math.floor((at - 16) / 6) % 6, (at - 16) % 6].map(level).join()})`;
}

interface TextProps {
  readonly text: string;
  /** What was searched for, in small letters. */
  readonly found: string;
}

/** The text of a line with its colours and with what was found marked. All of it is text nodes. */
export function LineText({ text, found }: TextProps): VNode {
  const pieces = found === "" ? piecesOf(text) : marked(plain(text), found);
  return (
    <>
      {pieces.map(({ text: part, classes, color }) =>
        classes === "found" ? (
          <mark>{part}</mark>
        ) : classes === "" && color === undefined ? (
          part
        ) : (
          <span class={classes} {...(color !== undefined && { style: { color } })}>
            {part}
          </span>
        ),
      )}
    </>
  );
}

function marked(text: string, found: string): readonly Piece[] {
  const pieces: Piece[] = [];
  const small = text.toLowerCase();
  // Some letters have a small form of another length: the places would not be those of the text.
  if (small.length !== text.length) return [{ text, classes: "" }];
  let from = 0;
  for (let at = small.indexOf(found); at !== -1; at = small.indexOf(found, from)) {
    pieces.push(
      { text: text.slice(from, at), classes: "" },
      { text: text.slice(at, at + found.length), classes: "found" },
    );
    from = at + found.length;
  }
  return [...pieces, { text: text.slice(from), classes: "" }];
}
