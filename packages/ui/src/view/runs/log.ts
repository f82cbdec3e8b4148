import type { LogItem as CoreItem, RunRef } from "@ojm/core";
import type { LogItem, LogPage } from "../../contract/types.js";
import type { Source } from "../source.js";

/** The most characters of a log in one answer. */
const MOST_TEXT = 150_000;

/** The filter of the lines. */
export interface LogQuery {
  readonly after?: number | undefined;
  readonly tail?: number | undefined;
  readonly limit: number;
}

/** An item of a log in the form of the contract; `undefined` for progress. */
export function logItemOf(item: CoreItem, mask: Source["mask"]): LogItem | undefined {
  if ("progress" in item) return undefined;
  if ("missing" in item) {
    const { missing, dropped } = item;
    return { missing, ...(dropped && { dropped }) };
  }
  const { line, offset, at, level, text } = item;
  return { line, offset, at, level, text: mask(text) };
}

/** Some lines of the log of a run. */
export async function logOf({ manager, mask }: Source, run: RunRef, asked: LogQuery): Promise<LogPage> {
  const { after = 0, tail, limit } = asked;
  const items: LogItem[] = [];
  let size = 0;
  let lines = 0;
  for await (const item of manager.log(run, tail === undefined ? { after } : { tail: Math.min(tail, limit) })) {
    const shown = logItemOf(item, mask);
    if (shown === undefined) continue;
    const length = lengthOf(shown);
    if (tail === undefined && (lines >= limit || (size + length > MOST_TEXT && lines > 0))) {
      // The next page is requested by line number, and starts with the gap after that line.
      return { items: items.slice(0, items.findLastIndex((one) => "line" in one) + 1), more: true };
    }
    items.push(shown);
    if ("line" in shown) lines++;
    size += length;
    if (tail !== undefined) while (size > MOST_TEXT && items.length > 1) size -= lengthOf(items.shift());
  }
  return { items, more: false };
}

function lengthOf(item: LogItem | undefined): number {
  return item !== undefined && "text" in item ? item.text.length + 100 : 200;
}

/** The log of a run as text, for a download. */
export async function* logText({ manager, mask }: Source, run: RunRef): AsyncGenerator<string, void, undefined> {
  for await (const item of manager.log(run)) {
    if ("text" in item) yield `${new Date(item.at).toISOString()} ${item.level.padEnd(6)} ${mask(item.text)}\n`;
    else if ("missing" in item) {
      const { missing } = item;
      yield missing === "unknown"
        ? "… the last lines were never written\n"
        : `… ${missing.lines === 1 ? "1 line is" : `${missing.lines} lines are`} missing\n`;
    }
  }
}
