import { offsetOf, TOKENS } from "./dates.js";

/** Reads a date by a pattern. What the pattern does not say is that of 1970-01-01. */
export function toDate(text: string, format: string, zone?: string): Date {
  const read = new DateReader(String(text));
  const tokens = [...format.matchAll(TOKENS)];
  tokens.forEach(([token, quoted, letter], i) => {
    if (quoted !== undefined) read.literal(quoted === "" ? "'" : quoted.replaceAll("''", "'"));
    else if (letter === undefined) read.literal(token);
    else read.field(letter, token.length, tokens[i + 1]?.[2] !== undefined);
  });
  return read.date(zone);
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** Reads a text by the parts of a pattern, one after the other. */
class DateReader {
  readonly #text: string;
  #at = 0;
  #year = 1970;
  #month = 1;
  #day = 1;
  #hour = 0;
  #minute = 0;
  #second = 0;
  #ms = 0;
  #afternoon: boolean | undefined;
  #offset: number | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  literal(text: string): void {
    if (!this.#text.startsWith(text, this.#at)) this.#fail(JSON.stringify(text));
    this.#at += text.length;
  }

  /** Without a separator behind it, a number has as many digits as the pattern has letters. */
  field(letter: string, count: number, isAdjacent: boolean): void {
    const digits = (most: number): number => this.#number(isAdjacent ? count : most);
    switch (letter) {
      case "y":
      case "Y": {
        const year = digits(4);
        this.#year = count === 2 && year < 100 ? 2000 + year - (year > 70 ? 100 : 0) : year;
        return;
      }
      case "M":
      case "L":
        this.#month = count > 2 ? this.#monthName() : digits(2);
        return;
      case "d":
        this.#day = digits(2);
        return;
      case "H":
      case "k":
      case "K":
      case "h":
        this.#hour = digits(2) % (letter === "h" ? 12 : 24);
        return;
      case "m":
        this.#minute = digits(2);
        return;
      case "s":
        this.#second = digits(2);
        return;
      case "S":
        this.#ms = digits(3);
        return;
      case "a":
        this.#afternoon = this.#match(/[ap]m/iy, "AM or PM").toLowerCase() === "pm";
        return;
      case "E":
        this.#match(/[A-Za-z]+/y, "a day of the week");
        return;
      case "z":
      case "Z":
      case "X":
        this.#zone();
        return;
      default:
        throw new Error(`the letter "${letter}" is no part of a date format that can be read here`);
    }
  }

  date(zone: string | undefined): Date {
    const hour = this.#hour + (this.#afternoon ? 12 : 0);
    const utc = Date.UTC(this.#year, this.#month - 1, this.#day, hour, this.#minute, this.#second, this.#ms);
    if (this.#offset !== undefined) return new Date(utc - this.#offset * 60_000);
    if (zone === undefined) {
      return new Date(this.#year, this.#month - 1, this.#day, hour, this.#minute, this.#second, this.#ms);
    }
    // The offset depends on the time, which depends on the offset: near a change of clocks, look twice.
    const guess = new Date(utc - offsetOf(new Date(utc), zone) * 60_000);
    return new Date(utc - offsetOf(guess, zone) * 60_000);
  }

  #number(most: number): number {
    return Number(this.#match(new RegExp(`-?\\d{1,${most}}`, "y"), "a number"));
  }

  #monthName(): number {
    const name = this.#match(/[A-Za-z]+/y, "a month")
      .slice(0, 3)
      .toLowerCase();
    const index = MONTHS.indexOf(name);
    return index < 0 ? this.#fail("a month") : index + 1;
  }

  #zone(): void {
    const text = this.#match(/Z|(?:GMT|UTC)?[+-]\d\d?:?(?:\d\d)?|[A-Za-z/_]+/y, "a time zone");
    this.#offset = text === "Z" ? 0 : offsetOf(new Date(), text);
  }

  #match(pattern: RegExp, what: string): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) return this.#fail(what);
    this.#at += found.length;
    return found;
  }

  #fail(expected: string): never {
    const found = this.#text.slice(this.#at, this.#at + 10);
    throw new Error(`"${this.#text}" is no date of that format: ${expected} is expected, not "${found}"`);
  }
}
