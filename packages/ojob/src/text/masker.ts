import { escapeHtml } from "./template.js";

const MASK = "***";

/** How much of a possible secret without an end is held back, in characters. */
const MAX_HELD = 1 << 16;

interface Span {
  readonly start: number;
  end: number;
}

/** Masks a text that comes in pieces. What may begin a secret is held back until the next piece. */
export interface MaskedStream {
  /** Takes a piece, and returns the text that can be shown now. */
  write(piece: string): string;
  /** Returns the text that was held back, at the end. */
  end(): string;
}

/** Replaces the values of secrets in texts, wherever they come from. */
export class Masker {
  /** The texts to find, by their first characters, the longest first. */
  readonly #texts = new Map<string, string[]>();
  /** Shorter prefixes of the texts: the code of the first character, and all that are shorter than a key. */
  readonly #first = new Set<number>();
  readonly #starts = new Set<string>();

  /** Masks these secrets too, from now on. One of fewer than four characters stays. */
  add(secrets: Iterable<string>): void {
    for (const secret of secrets) for (const form of formsOf(secret)) this.#addText(form);
  }

  get isEmpty(): boolean {
    return this.#texts.size === 0;
  }

  mask(text: string): string {
    return this.isEmpty ? text : masked(text, this.find(text));
  }

  /** Masks a text that comes in pieces. */
  stream(): MaskedStream {
    return new PieceMasker(this);
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

  /** The places of secrets. Adjacent ones are merged. */
  find(text: string): Span[] {
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

  /** Whether a secret may begin with this text, which is the end of the known text. */
  mayBegin(rest: string): boolean {
    if (rest.length < SHORTEST) return this.#starts.has(rest);
    const texts = this.#texts.get(rest.slice(0, SHORTEST)) ?? [];
    return texts.some((one) => one.length > rest.length && one.startsWith(rest));
  }
}

class PieceMasker implements MaskedStream {
  readonly #masker: Masker;
  #held = "";
  /** Whether the last output was a masked secret: an adjacent one belongs to it. */
  #afterMask = false;

  constructor(masker: Masker) {
    this.#masker = masker;
  }

  write(piece: string): string {
    if (this.#masker.isEmpty) return piece;
    const text = this.#held + piece;
    const spans = this.#masker.find(text);
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
    return this.#show(rest, this.#masker.find(rest));
  }

  #show(text: string, spans: readonly Span[]): string {
    const shown = masked(text, spans);
    const touches = this.#afterMask && spans[0]?.start === 0;
    if (text !== "") this.#afterMask = spans.at(-1)?.end === text.length;
    return touches ? shown.slice(MASK.length) : shown;
  }

  /** How much of the text can be shown regardless of the next piece. */
  #known(text: string, spans: readonly Span[]): number {
    // No searched text extends over the end of a line.
    let end = Math.max(text.lastIndexOf("\n") + 1, text.length - LONGEST);
    while (end < text.length && !this.#masker.mayBegin(text.slice(end))) end++;
    const around = spans.find((span) => span.start < end && span.end > end);
    if (around === undefined) return end;
    // Endless output must not fill the memory.
    return text.length - around.start > MAX_HELD ? text.length : around.start;
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

/** The least length of a text that is masked. Shorter ones occur in many harmless words. */
const SHORTEST = 4;

/** A longer text is searched in pieces of this length, so that a large part of a secret is found too. */
const LONGEST = 64;

/** The columns after which the command `base64` begins a new line. */
const WRAPPED = 76;

/**
 * The texts by which a secret is found. Each of its lines: plain, encoded for JSON, URLs, HTML and shells,
 * and in hex. The whole secret: in base64 and hex. The encoders of JavaScript, Python, Go, PHP and .NET are
 * covered, with their usual options.
 */
function formsOf(secret: string): string[] {
  // Replaces a lone surrogate, which a variable of the environment can hold: it has no form in a URL.
  const whole = Buffer.from(secret, "utf8").toString("utf8");
  const lines = whole.split(/\r\n|\n|\r/).map((line) => line.trim());
  const forms = [
    ...[...lines, whole].flatMap(hexForms),
    ...lines.flatMap((line) => [line, escapeHtml(line), ...jsonForms(line), ...urlForms(line), ...shellForms(line)]),
    ...base64Forms(Buffer.from(whole)),
  ];
  return [...new Set(forms.flatMap(piecesOf))];
}

/** The characters that encoders other than JavaScript's escape in JSON, as `\u00e9`. */
const JSON_ESCAPES: readonly RegExp[] = [
  // PHP with JSON_UNESCAPED_UNICODE.
  /[\p{Zl}\p{Zp}]/u,
  // Go escapes what HTML would read, and PHP does with JSON_HEX_TAG and JSON_HEX_AMP.
  /[<>&\p{Zl}\p{Zp}]/u,
  // Python, and PHP.
  /[^ -~]/,
  /[\u0080-\uffff]/,
  // PHP with all JSON_HEX_ flags, and .NET.
  /[<>&'"\u0080-\uffff]/,
  /[<>&'"+`]|[^ -~]/,
];

/** Which escapes have upper-case digits: none, all as in .NET, or those of ASCII as in PHP. */
const IN_UPPER: readonly RegExp[] = [/^$/, /./s, /[ -~]/];

function jsonForms(line: string): string[] {
  const plain = JSON.stringify(line).slice(1, -1);
  const forms = JSON_ESCAPES.flatMap((escaped) => IN_UPPER.map((upper) => jsonForm(line, escaped, upper)));
  const all = [plain, ...forms];
  // Older versions of Go write these by their numbers.
  const numbered = all.map((form) =>
    form.replace(/\\(.)/gs, (pair, one) => (one === "b" ? "\\u0008" : one === "f" ? "\\u000c" : pair)),
  );
  return [...all, ...numbered].flatMap((form) => [form, form.replace(/\//g, "\\/")]);
}

function jsonForm(line: string, escaped: RegExp, upper: RegExp): string {
  const unit = (one: string): string => {
    const hex = one.charCodeAt(0).toString(16).padStart(4, "0");
    return `\\u${upper.test(one) ? hex.toUpperCase() : hex}`;
  };
  // Per UTF-16 unit: a character beyond the first plane is written as two.
  return line
    .split("")
    .map((one) => (escaped.test(one) && !"\b\f\n\r\t".includes(one) ? unit(one) : unitForm(one)))
    .join("");
}

/** The escape of a single unit in JSON. Two halves of a character make a whole one again. */
const unitForm = (one: string): string => (/[\ud800-\udfff]/.test(one) ? one : JSON.stringify(one).slice(1, -1));

/** The characters, beside letters and digits, that an encoder of URLs keeps, and whether a space is a `+`. */
const URL_ENCODERS: readonly (readonly [kept: string, plus: boolean])[] = [
  // encodeURIComponent, and encodeURI.
  ["-_.~!'()*", false],
  ["-_.~!'()*;/?:@&=+$,#", false],
  // RFC 3986: rawurlencode of PHP, and quote of Python, which encodes "/" or keeps it.
  ["-_.~", false],
  ["-_.~/", false],
  // Forms: URLSearchParams; quote_plus of Python and QueryEscape of Go; urlencode of PHP.
  ["*-._", true],
  ["-_.~", true],
  ["-_.", true],
  // PathEscape and EscapedPath of Go.
  ["-_.~$&+=:@", false],
  ["-_.~$&+,/:;=@", false],
];

function urlForms(line: string): string[] {
  const forms = URL_ENCODERS.map(([kept, plus]) => urlForm(line, kept, plus));
  return forms.flatMap((form) => [form, form.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase())]);
}

function urlForm(line: string, kept: string, plus: boolean): string {
  const percent = (byte: number): string => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  return [...line]
    .map((one) => {
      if (/^[A-Za-z0-9]$/.test(one) || kept.includes(one)) return one;
      return one === " " && plus ? "+" : [...Buffer.from(one)].map(percent).join("");
    })
    .join("");
}

const ANSI: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "'": "\\'",
  "\t": "\\t",
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\v": "\\v",
  "\u001b": "\\E",
};

/** The ways to write a word for a shell: in quotes, with backslashes, or as bash escapes it. */
function shellForms(line: string): string[] {
  const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, "0")}`;
  const ansi = (hidden: RegExp): string =>
    [...line].map((one) => ANSI[one] ?? (hidden.test(one) ? [...Buffer.from(one)].map(octal).join("") : one)).join("");
  return [
    line.replaceAll("'", "'\\''"),
    line.replaceAll("'", `'"'"'`),
    line.replace(/["$`\\]/g, "\\$&"),
    line.replace(/["$`\\!]/g, "\\$&"),
    line.replace(/[\s'"\\|&;()<>!{}*[\]?^$`,]|^[~#]/g, "\\$&"),
    line.replace(/[^\w@%+=:,./-]/gu, "\\$&"),
    ansi(/[\p{Cc}\p{Zl}\p{Zp}]/u),
    ansi(/[^ -~]/),
  ];
}

function hexForms(text: string): string[] {
  const hex = Buffer.from(text).toString("hex");
  return text.length < SHORTEST ? [] : [hex, hex.toUpperCase()];
}

/**
 * In base64, four characters stand for three bytes. So a secret within a longer text, as in `user:password`,
 * is written in one of three ways, depending on its position. Characters that also depend on its neighbours
 * are left out.
 */
function base64Forms(bytes: Buffer): string[] {
  const forms = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });
  const alone = bytes.toString("base64");
  const all = [alone, ...chunks(alone, WRAPPED), ...forms];
  return all.flatMap((form) => [form, form.replace(/\+/g, "-").replace(/\//g, "_")]);
}

/** A text in pieces that are long enough to search for. The last one overlaps the one before it. */
function piecesOf(text: string): string[] {
  if (text.length < SHORTEST) return [];
  return text.length <= LONGEST ? [text] : [...chunks(text, LONGEST), text.slice(-LONGEST)];
}

function chunks(text: string, length: number): string[] {
  const count = Math.floor(text.length / length);
  return Array.from({ length: count }, (_, index) => text.slice(index * length, (index + 1) * length));
}
