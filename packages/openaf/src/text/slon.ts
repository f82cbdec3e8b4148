import { isArray } from "../data/compare.js";
import { isDate, isMap, isNumber } from "../data/types.js";
import { fromDate } from "../format/dates.js";

/** How a value is written as SLON. */
export type SlonTheme = Readonly<Partial<typeof THEME>>;

const THEME = {
  startMap: "(",
  sepMap: ", ",
  endMap: ")",
  sepKV: ": ",
  startArr: "[",
  sepArr: " | ",
  endArr: "]",
  strQuote: "'",
};

/** Writes a value in one line: `(a: 1, b: [1 | 2], c: 'two words')`. */
export function toSLON(value: unknown, theme?: SlonTheme): string {
  const { startMap, sepMap, endMap, sepKV, startArr, sepArr, endArr, strQuote } = { ...THEME, ...theme };
  if (isMap(value)) {
    const pairs = Object.entries(value).map(([key, item]) => key + sepKV + toSLON(item, theme));
    return startMap + pairs.join(sepMap) + endMap;
  }
  if (isArray(value)) return startArr + value.map((item) => toSLON(item, theme)).join(sepArr) + endArr;
  if (isDate(value)) return fromDate(value, "yyyy-MM-dd/HH:mm:ss.SSS");
  if (typeof value !== "string" || isNumber(value)) return String(value);
  if (!/[.(,):[\]|']/.test(value)) return value;
  return strQuote + value.replaceAll(strQuote, `\\${strQuote}`) + strQuote;
}

/** Reads SLON. */
export function fromSLON(text: unknown): unknown {
  if (typeof text !== "string" || text === "") return "";
  return new SlonReader(text).read();
}

/** Reads JSON or SLON. Any other text stays as it is. */
export function fromJSSLON(text: unknown, parseJson: (text: string) => unknown): unknown {
  if (typeof text !== "string" || text === "") return text;
  const trimmed = text.trim();
  if (trimmed.startsWith("$raw$")) return trimmed.slice("$raw$".length);
  if (trimmed.startsWith("{") || /^\[\s*\{[\s\S]+\}\s*\]$/.test(trimmed)) return parseJson(trimmed);
  try {
    return fromSLON(trimmed);
  } catch {
    return text;
  }
}

const WORDS: Readonly<Record<string, unknown>> = { true: true, false: false, null: null };
const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const DATE = /(\d{4})-(\d\d?)-(\d\d?)\/(\d\d?):(\d\d?):(\d\d?)\.(\d{1,3})/y;
const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** Reads one text. */
class SlonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): unknown {
    const value = this.#value("");
    this.#blanks();
    if (this.#at < this.#text.length) this.#fail("nothing");
    return value;
  }

  /** `ends` are the characters that end a text without quotes, beside those that always do. */
  #value(ends: string): unknown {
    this.#blanks();
    const char = this.#text[this.#at];
    if (char === "(") return this.#map();
    if (char === "[") return this.#list();
    if (char === "'" || char === '"') return this.#quoted(char);
    return this.#date() ?? this.#plain(ends);
  }

  #map(): Record<string, unknown> {
    const entries: [string, unknown][] = [];
    this.#sequence(")", ",", () => {
      this.#blanks();
      const char = this.#text[this.#at];
      const name = char === "'" || char === '"' ? this.#quoted(char) : this.#until(":(),");
      this.#blanks();
      if (this.#text[this.#at] !== ":") this.#fail('":"');
      this.#at++;
      entries.push([name, this.#value("")]);
    });
    return Object.fromEntries(entries);
  }

  #list(): unknown[] {
    const list: unknown[] = [];
    this.#sequence("]", "|", () => list.push(this.#value("|]")));
    return list;
  }

  #sequence(end: string, separator: string, item: () => void): void {
    this.#at++;
    this.#blanks();
    if (this.#text[this.#at] === end) {
      this.#at++;
      return;
    }
    for (;;) {
      item();
      this.#blanks();
      const char = this.#text[this.#at];
      if (char !== separator && char !== end) this.#fail(`"${separator}" or "${end}"`);
      this.#at++;
      if (char === end) return;
    }
  }

  #quoted(quote: string): string {
    let text = "";
    for (this.#at++; this.#text[this.#at] !== quote; this.#at++) {
      const char = this.#text[this.#at];
      if (char === undefined) this.#fail(quote);
      text += char === "\\" ? this.#escaped() : char;
    }
    this.#at++;
    return text;
  }

  #escaped(): string {
    const char = this.#text[++this.#at] ?? "";
    if (char !== "u") return ESCAPES[char] ?? char;
    const code = this.#text.slice(this.#at + 1, this.#at + 5);
    this.#at += 4;
    return String.fromCharCode(Number.parseInt(code, 16));
  }

  #date(): Date | undefined {
    DATE.lastIndex = this.#at;
    const found = DATE.exec(this.#text);
    if (found === null) return undefined;
    this.#at = DATE.lastIndex;
    const [year = 0, month = 0, ...rest] = found.slice(1).map(Number);
    return new Date(year, month - 1, ...rest);
  }

  #plain(ends: string): unknown {
    const text = this.#until(`:(),${ends}`);
    if (text === "") this.#fail("a value");
    if (Object.hasOwn(WORDS, text)) return WORDS[text];
    return NUMBER.test(text) ? Number(text) : text;
  }

  #until(ends: string): string {
    const from = this.#at;
    while (this.#at < this.#text.length && !ends.includes(this.#text[this.#at] ?? "")) this.#at++;
    return this.#text.slice(from, this.#at).trim();
  }

  #blanks(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at++;
  }

  #fail(expected: string): never {
    const found = this.#text[this.#at];
    const what = found === undefined ? "the end" : JSON.stringify(found);
    throw new Error(`this is not SLON: ${expected} is expected at character ${this.#at + 1}, not ${what}`);
  }
}
