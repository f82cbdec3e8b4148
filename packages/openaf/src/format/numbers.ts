import { type Functions, isNumber } from "../data/types.js";

/** The text on the left of as many pads ("0") as make it that long. */
export function leftPad(text: unknown, length: number, pad: string = "0"): string {
  const own = String(text);
  return pad.repeat(Math.max(0, length - own.length)) + own;
}

/** The text on the right of as many pads ("0") as make it that long. */
export function rightPad(text: unknown, length: number, pad: string = "0"): string {
  const own = String(text);
  return own + pad.repeat(Math.max(0, length - own.length));
}

/** A number in another base. A negative one is that of 64 bits, as in Java. */
function toBase(base: number): (number: number, length?: number) => string {
  return (number, length) => {
    const text = BigInt.asUintN(64, BigInt(Math.trunc(Number(number)))).toString(base);
    return length === undefined ? text : leftPad(text, length);
  };
}

function fromBase(base: number): (text: string) => number {
  return (text) => Number.parseInt(String(text), base);
}

/** `1234.5` as `1.23k`. */
export function toAbbreviation(number: number, digits: number = 2): string | number {
  const factor = 10 ** digits;
  const names = ["k", "m", "b", "t"];
  for (let i = names.length - 1; i >= 0; i--) {
    const size = 10 ** ((i + 1) * 3);
    if (size > number) continue;
    const scaled = Math.round((number * factor) / size) / factor;
    return scaled === 1000 && i < names.length - 1 ? `1${names[i + 1]}` : `${scaled}${names[i]}`;
  }
  return number;
}

const BYTES = ["bytes", "KB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];

/** `1536` as `1.5 KB`: three digits that count, or as many behind the point as `precision` says. */
export function toBytesAbbreviation(bytes: unknown, precision?: number): string {
  let left = bytes === undefined ? 0 : Number(bytes);
  if (!Number.isFinite(left)) throw `bytes is not a number`;
  if (left === 0) return "0 bytes";
  let index = 0;
  for (; left >= 1024 && index < BYTES.length - 1; index++) left /= 1024;
  const digits = precision ?? (left < 10 ? 2 : left < 100 ? 1 : 0);
  return `${Number.parseFloat(left.toFixed(digits))} ${BYTES[index]}`;
}

/** `1.5 KB`, `1.5KiB` or `1.5Ki` as 1536; with `decimal`, KB is 1000 bytes. */
export function fromBytesAbbreviation(text: string, decimal?: unknown): number {
  const [, value, unit = ""] = /(-?[0-9.]+)\s*([a-zA-Z]*)/.exec(text.trim()) ?? [];
  if (value === undefined) throw new Error(`${JSON.stringify(text)} is not a number of bytes`);
  const upper = unit.toUpperCase();
  const index = BYTES.findIndex((name) => [name.toUpperCase(), `${name[0]}IB`, `${name[0]}I`, name[0]].includes(upper));
  const isBinary = /I/.test(upper) || !decimal;
  return Math.round(Number(value) * (index > 0 ? (isBinary ? 1024 : 1000) ** index : 1));
}

/** The powers of ten of the units. Those from k on, and those from m on, are each three apart. */
const POWERS: Readonly<Record<string, number>> = {
  ...{ da: 1, h: 2, d: -1, c: -2 },
  ...Object.fromEntries([..."kMGTPEZY"].map((unit, i) => [unit, 3 * (i + 1)])),
  ...Object.fromEntries([..."mμnpfazy"].map((unit, i) => [unit, -3 * (i + 1)])),
};

/** `1.5k` as 1500. A text without a number stays as it is. */
export function fromSIAbbreviation(text: string): number | string {
  const [, value, unit = ""] = /(-?[0-9.]+)\s*([a-zA-Zμ]*)/.exec(text.trim()) ?? [];
  if (value === undefined) return text;
  return Number(value) * 10 ** (Object.hasOwn(POWERS, unit) ? (POWERS[unit] ?? 0) : 0);
}

const SECOND = 1_000;
const DAY = 86_400 * SECOND;
const TIMES: Readonly<Record<string, number>> = {
  ms: 1,
  s: SECOND,
  m: 60 * SECOND,
  h: 3_600 * SECOND,
  d: DAY,
  w: 7 * DAY,
  M: 30 * DAY,
  y: 365 * DAY,
};

/** `1h30m` in ms. A number without a unit stays as it is. */
export function fromTimeAbbreviation(text: string): number {
  const parts = [...text.trim().matchAll(/(\d+(?:\.\d+)?)\s*([a-zA-Z]+)/g)];
  if (parts.length === 0) return Number.parseFloat(text);
  return parts.reduce((sum, [, value, unit]) => sum + Number(value) * (TIMES[unit ?? ""] ?? 1), 0);
}

export const NUMBERS: Functions = {
  toHex: toBase(16),
  toOctal: toBase(8),
  toBinary: toBase(2),
  toBase36: toBase(36),
  fromHex: fromBase(16),
  fromOctal: fromBase(8),
  fromBinary: fromBase(2),
  fromBase36: fromBase(36),
  fromByte: (byte: number): number => byte & 0xff,
  toAbbreviation,
  toBytesAbbreviation,
  fromBytesAbbreviation,
  fromSIAbbreviation,
  fromTimeAbbreviation,
  addNumberSeparator: (number: unknown, separator: string = ","): string =>
    String(number).replace(/(\d)(?=(\d\d\d)+(?!\d))/g, `$1${separator}`),
  toNumberSpacing(number: unknown, spacer: string = " "): string {
    if (!isNumber(number)) throw "aNumber is not a number";
    const [whole = "", ...rest] = String(Number(number)).split(".");
    return [whole.replace(/\B(?=(\d{3})+(?!\d))/g, spacer), ...rest].join(".");
  },
  fromNumberSpacing: (text: string, spacer: string = " "): number => Number(text.replaceAll(spacer, "")),
  /** A text with this many digits. 0 stays as it is. */
  round(number: unknown, digits: number = 0): string | number {
    if (!isNumber(number)) throw "number is not a number";
    return Number(number) === 0 ? 0 : Number(number).toFixed(digits);
  },
  percentile(list: readonly number[], percentile: number): number | undefined {
    const sorted = [...list].sort((a, b) => a - b);
    const position = (sorted.length - 1) * percentile;
    const [low, high] = [sorted[Math.floor(position)], sorted[Math.floor(position) + 1]];
    return low === undefined || high === undefined ? low : low + (position - Math.floor(position)) * (high - low);
  },
  int2IP: (number: number): string => [24, 16, 8, 0].map((bits) => (number >>> bits) & 255).join("."),
  IP2int: (address: string): number => address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0),
};

/** -1, 0 or 1: whether a version is before, the same as, or after another. */
export function compareVersion(a: unknown, b: unknown): number {
  const parts = (version: unknown): string[] => String(version).trim().replace(/^v/i, "").split(/[.-]/);
  const [own, other] = [parts(a), parts(b)];
  for (let i = 0; i < Math.max(own.length, other.length); i++) {
    const [left = "0", right = "0"] = [own[i], other[i]];
    const order = left.localeCompare(right, "en", { numeric: true });
    if (order !== 0) return Math.sign(order);
  }
  return 0;
}

/** Whether a text such as `>=1.2, <2` allows a version. */
export function checkVersionSpec(version: unknown, spec: unknown): boolean {
  return String(spec)
    .split(",")
    .every((part) => {
      const [, sign = "=", wanted] = /^(>=|<=|>|<|=)?\s*(.+)$/.exec(part.trim()) ?? [];
      const order = compareVersion(version, wanted);
      return (
        (order > 0 && sign.startsWith(">")) ||
        (order < 0 && sign.startsWith("<")) ||
        (order === 0 && sign.endsWith("="))
      );
    });
}

/** The order of two versions by semver: `1.0.0-rc.2` is before `1.0.0-rc.10`, and both are before `1.0.0`. */
export function compareSemantic(a: unknown, b: unknown): number {
  const [own, other] = [partsOf(a), partsOf(b)];
  const order = compareVersion(own.release, other.release);
  if (order !== 0 || own.candidate === other.candidate) return order;
  if (own.candidate === undefined || other.candidate === undefined) return own.candidate === undefined ? 1 : -1;
  const [left, right] = [own.candidate.split("."), other.candidate.split(".")];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = compareIdentifiers(left[i], right[i]);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The numbers of a version, and its mark as a candidate. Its build does not matter for the order. */
function partsOf(version: unknown): { readonly release: string; readonly candidate: string | undefined } {
  const [whole = ""] = String(version).trim().split("+");
  const dash = whole.indexOf("-");
  return dash < 0
    ? { release: whole, candidate: undefined }
    : { release: whole.slice(0, dash), candidate: whole.slice(dash + 1) };
}

/** Numbers are before words, and a shorter list of them is first. */
function compareIdentifiers(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  const [isNumber, otherIsNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumber && otherIsNumber) return Math.sign(Number(a) - Number(b));
  if (isNumber !== otherIsNumber) return isNumber ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
