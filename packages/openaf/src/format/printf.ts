import { isNumber } from "../data/types.js";
import { fromDate } from "./dates.js";

/** A place in a format of Java's Formatter: `%2$-10.3f`, `%tY`. */
const PLACE = /%(?:(\d+)\$)?([-#+ 0,(]*)(\d+)?(?:\.(\d+))?(t[a-zA-Z]|[a-zA-Z%])/g;

/** Letters of dates, as those of `ow.format.fromDate`. */
const DATES: Readonly<Record<string, string>> = {
  Y: "yyyy",
  y: "yy",
  m: "MM",
  d: "dd",
  e: "d",
  H: "HH",
  I: "hh",
  M: "mm",
  S: "ss",
  L: "SSS",
  p: "a",
  Z: "z",
  z: "Z",
  B: "MMMM",
  b: "MMM",
  A: "EEEE",
  a: "EEE",
  F: "yyyy-MM-dd",
  T: "HH:mm:ss",
  R: "HH:mm",
  D: "MM/dd/yy",
};

/** Fills the places of a format with values: `printf("%-10s %,.2f", "a", 1234.5)`. */
export function printf(format: string, ...values: unknown[]): string {
  let next = 0;
  return String(format).replace(PLACE, (_, index, flags: string, width, precision, kind: string) => {
    if (kind === "%") return "%";
    if (kind === "n") return "\n";
    const value = values[index === undefined ? next++ : Number(index) - 1];
    const text = written(value, kind, flags, precision === undefined ? undefined : Number(precision));
    const columns = width === undefined ? 0 : Number(width);
    if (flags.includes("-")) return text.padEnd(columns);
    if (!flags.includes("0")) return text.padStart(columns);
    const [, sign = "", rest = ""] = /^([+-]?)(.*)$/s.exec(text) ?? [];
    return sign + rest.padStart(columns - sign.length, "0");
  });
}

function written(value: unknown, kind: string, flags: string, precision: number | undefined): string {
  const lower = kind.toLowerCase();
  const text = kind.startsWith("t") ? dateText(value, kind) : valueText(value, lower, flags, precision);
  return kind === lower || kind.startsWith("t") ? text : text.toUpperCase();
}

function valueText(value: unknown, kind: string, flags: string, precision: number | undefined): string {
  switch (kind) {
    case "s":
      return String(value).slice(0, precision);
    case "b":
      return String(value !== undefined && value !== null && value !== false);
    case "c":
      return typeof value === "number" ? String.fromCodePoint(value) : String(value).slice(0, 1);
    case "d":
      return signed(value, flags, (number) => String(Math.trunc(number)));
    case "f":
      return signed(value, flags, (number) => number.toFixed(precision ?? 6));
    case "e":
      return signed(value, flags, (number) => number.toExponential(precision ?? 6).replace(/e([+-])(\d)$/, "e$10$2"));
    case "g":
      return signed(value, flags, (number) => number.toPrecision(precision ?? 6));
    case "x":
      return (flags.includes("#") ? "0x" : "") + Math.trunc(numberOf(value)).toString(16);
    case "o":
      return (flags.includes("#") ? "0" : "") + Math.trunc(numberOf(value)).toString(8);
    default:
      throw new Error(`"%${kind}" is no part of a format that is known here`);
  }
}

function signed(value: unknown, flags: string, write: (number: number) => string): string {
  const number = numberOf(value);
  const digits = write(Math.abs(number));
  const grouped = flags.includes(",") ? digits.replace(/\B(?<!\.\d*)(?=(\d{3})+(?!\d))/g, ",") : digits;
  if (number >= 0) return (flags.includes("+") ? "+" : flags.includes(" ") ? " " : "") + grouped;
  return flags.includes("(") ? `(${grouped})` : `-${grouped}`;
}

function numberOf(value: unknown): number {
  if (!isNumber(value)) throw new Error(`a number is expected in a format, not ${String(value)}`);
  return Number(value);
}

function dateText(value: unknown, kind: string): string {
  const letters = DATES[kind.slice(1)];
  if (letters === undefined) throw new Error(`"%${kind}" is no part of a format that is known here`);
  return fromDate(value as Date, letters);
}
