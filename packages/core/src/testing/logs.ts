import type { Commit } from "../channel/backend/backend.js";
import type { LogItem } from "../jobs/logs/types.js";

/** Whether a commit writes to the channel of the logs. */
export const isLogCommit = ({ writes }: Commit): boolean =>
  writes.some(({ key }) => key.startsWith("oJobManager-logs "));

/** The texts of the lines, and the number of missing lines at each gap. */
export function told(items: readonly LogItem[]): (string | number | "unknown")[] {
  return items.flatMap((item) => {
    if ("text" in item) return [item.text];
    if ("missing" in item) return [item.missing === "unknown" ? "unknown" : item.missing.lines];
    return [];
  });
}

/** How many lines of a log are missing, and how many of them were never written. */
export function missingIn(items: readonly LogItem[]): { readonly lines: number; readonly dropped: number } {
  let [lines, dropped] = [0, 0];
  for (const item of items) {
    if (!("missing" in item) || item.missing === "unknown") continue;
    lines += item.missing.lines;
    dropped += item.dropped?.lines ?? 0;
  }
  return { lines, dropped };
}

/** The faults of a log that should have the texts from 1 to `last`: none if it is correct. */
export function faultsOf(items: readonly LogItem[], last: number, textOf: (n: number) => string): string[] {
  const faults: string[] = [];
  let next = 1;
  let offset = 0;
  for (const item of items) {
    if ("missing" in item) {
      if (item.missing === "unknown") faults.push(`after line ${next - 1}: how much is missing is unknown`);
      else {
        let bytes = 0;
        for (let n = next; n < next + item.missing.lines; n++) bytes += Buffer.byteLength(textOf(n)) + 1;
        if (bytes !== item.missing.bytes) faults.push(`at line ${next}: ${item.missing.bytes} bytes, not ${bytes}`);
        next += item.missing.lines;
        offset += item.missing.bytes;
      }
    } else if ("text" in item) {
      if (item.line !== next || item.text !== textOf(next))
        faults.push(`line ${item.line} where ${next} is expected: ${item.text}`);
      if (item.offset !== offset) faults.push(`line ${item.line} is at ${item.offset}, not ${offset}`);
      next = item.line + 1;
      offset = item.offset + Buffer.byteLength(item.text) + 1;
    }
    if (faults.length > 20) break;
  }
  if (next !== last + 1) faults.push(`the log ends at line ${next - 1}, not ${last}`);
  return faults;
}
