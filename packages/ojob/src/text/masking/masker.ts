import { formsOf, LONGEST, SHORTEST } from "./forms.js";

/** Replaces a secret. */
const MASK = "***";

/** So much of what may be a secret without an end is held back, in characters. */
const MOST_HELD = 1 << 16;

/** A part of a text that is masked. */
interface Span {
  readonly start: number;
  end: number;
}

/** Replaces the values of secrets in texts, wherever they come from. */
export class Masker {
  /** The texts to look for, by their first characters, the longest first. */
  readonly #texts = new Map<string, string[]>();
  /** What the texts begin with: a character, and fewer characters than those of {@link #texts}. */
  readonly #first = new Set<number>();
  readonly #starts = new Set<string>();

  /** Masks these secrets too, from now on. One of fewer than four characters stays. */
  add(secrets: Iterable<string>): void {
    for (const secret of secrets) for (const form of formsOf(secret)) this.#addText(form);
  }

  /** The text without secrets. */
  mask(text: string): string {
    return this.#texts.size === 0 ? text : masked(text, this.#find(text));
  }

  /** Masks a text that comes in pieces. */
  stream(): MaskedPieces {
    return new MaskedStream(
      () => this.#texts.size > 0,
      (text) => this.#find(text),
      (rest) => this.#mayBegin(rest),
    );
  }

  #addText(text: string): void {
    const start = text.slice(0, SHORTEST);
    const texts = this.#texts.get(start) ?? [];
    if (texts.includes(text)) return;
    this.#texts.set(
      start,
      [...texts, text].sort((a, b) => b.length - a.length),
    );
    this.#first.add(text.charCodeAt(0));
    for (let length = 1; length < SHORTEST; length++) this.#starts.add(text.slice(0, length));
  }

  /** Where secrets stand. Those that touch each other are one. */
  #find(text: string): Span[] {
    const spans: Span[] = [];
    for (let at = 0; at + SHORTEST <= text.length; at++) {
      if (!this.#first.has(text.charCodeAt(at))) continue;
      const found = this.#texts.get(text.slice(at, at + SHORTEST))?.find((one) => text.startsWith(one, at));
      if (found === undefined) continue;
      const last = spans.at(-1);
      if (last === undefined || at > last.end) spans.push({ start: at, end: at + found.length });
      else last.end = Math.max(last.end, at + found.length);
    }
    return spans;
  }

  /** Whether a secret may begin with this text, which is the end of what is known. */
  #mayBegin(rest: string): boolean {
    if (rest.length < SHORTEST) return this.#starts.has(rest);
    const texts = this.#texts.get(rest.slice(0, SHORTEST)) ?? [];
    return texts.some((one) => one.length > rest.length && one.startsWith(rest));
  }
}

/**
 * Masks a text that comes in pieces. What may be the beginning of a secret is held back until the next piece,
 * so that no secret is missed because it came in two.
 */
export interface MaskedPieces {
  /** Takes a piece, and returns what can be shown now. */
  write(piece: string): string;
  /** What was held back, at the end of the text. */
  end(): string;
}

class MaskedStream implements MaskedPieces {
  readonly #isNeeded: () => boolean;
  readonly #find: (text: string) => Span[];
  readonly #mayBegin: (rest: string) => boolean;
  #held = "";
  /** Whether what was shown last is a masked secret: what touches it belongs to it. */
  #afterMask = false;

  constructor(isNeeded: () => boolean, find: (text: string) => Span[], mayBegin: (rest: string) => boolean) {
    this.#isNeeded = isNeeded;
    this.#find = find;
    this.#mayBegin = mayBegin;
  }

  write(piece: string): string {
    if (!this.#isNeeded()) return piece;
    const text = this.#held + piece;
    const spans = this.#find(text);
    const end = this.#known(text, spans);
    this.#held = text.slice(end);
    return this.#show(
      text.slice(0, end),
      spans.filter(({ start }) => start < end),
    );
  }

  end(): string {
    const rest = this.#held;
    this.#held = "";
    return this.#show(rest, this.#find(rest));
  }

  #show(text: string, spans: readonly Span[]): string {
    const shown = masked(text, spans);
    const touches = this.#afterMask && spans[0]?.start === 0;
    if (text !== "") this.#afterMask = spans.at(-1)?.end === text.length;
    return touches ? shown.slice(MASK.length) : shown;
  }

  /** How much of the text can be shown, whatever comes next. */
  #known(text: string, spans: readonly Span[]): number {
    // No text that is looked for goes over the end of a line.
    let end = Math.max(text.lastIndexOf("\n") + 1, text.length - LONGEST);
    while (end < text.length && !this.#mayBegin(text.slice(end))) end++;
    const around = spans.find((span) => span.start < end && span.end > end);
    if (around === undefined) return end;
    // Output without an end must not fill the memory.
    return text.length - around.start > MOST_HELD ? text.length : around.start;
  }
}

function masked(text: string, spans: readonly Span[]): string {
  if (spans.length === 0) return text;
  let shown = "";
  let at = 0;
  for (const { start, end } of spans) {
    shown += text.slice(at, start) + MASK;
    at = end;
  }
  return shown + text.slice(at);
}
