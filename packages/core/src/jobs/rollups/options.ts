import { ChannelError } from "../../channel/errors.js";
import { isText, isTime } from "../../util/shape.js";
import { DAY, floorTo, HOUR, MINUTE } from "./cell.js";
import type { RollupsOptions } from "./types.js";

/** The longest range of each cell, in days. */
const LONGEST = { minute: 7, hour: 400 } as const;

/** What is asked for, in whole cells. */
export interface Asked {
  readonly names: ReadonlySet<string> | undefined;
  readonly from: number;
  readonly to: number;
  readonly by: "hour" | "minute";
  /** The length of a cell, in ms. */
  readonly size: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Checks what is asked for, and widens it to whole cells.
 *
 * @throws ChannelError `INVALID_ARGUMENT`
 */
export function checkRollups({ names, from, to, by, signal }: RollupsOptions): Asked {
  if (by !== "hour" && by !== "minute") refuse(`by is "hour" or "minute", not ${show(by)}`);
  for (const [field, time] of Object.entries({ from, to })) {
    if (!isTime(time)) refuse(`${field} is a time in ms since 1970, not ${show(time)}`);
  }
  if (names !== undefined && !(Array.isArray(names) && names.every(isText))) refuse("names is a list of names of jobs");
  const size = by === "hour" ? HOUR : MINUTE;
  const range = { from: floorTo(from, size), to: -floorTo(-to, size) };
  if (range.to < range.from) refuse(`to is before from: ${to} before ${from}`);
  // Each minute may become an object: a mistyped year must not fill the memory.
  const most = LONGEST[by];
  if (range.to - range.from > most * DAY + size) refuse(`rollups by ${by} tell at most ${most} days at once`);
  return { ...range, by, size, names: names && new Set(names), signal };
}

function refuse(what: string): never {
  throw new ChannelError("INVALID_ARGUMENT", what);
}

function show(value: unknown): string {
  return typeof value === "string" ? `the text "${value}"` : String(value);
}
