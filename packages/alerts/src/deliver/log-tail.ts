import type { JobManager } from "@ojm/core";
import { LINES, visible } from "@ojm/core/internal";

/** The most lines, and the most bytes of them. */
const MOST_LINES = 200;
const MOST_BYTES = 10_000;

/** The last lines of the log of a run; empty if there are none, or if they cannot be read. */
export async function logTail(manager: JobManager, run: string): Promise<string> {
  const lines: string[] = [];
  try {
    for await (const item of manager.log(run, { tail: MOST_LINES })) if ("text" in item) lines.push(item.text);
  } catch {
    // An alert without its log is better than none.
    return "";
  }
  const bytes = Buffer.from(visible(lines.join("\n"), LINES));
  let from = Math.max(0, bytes.length - MOST_BYTES);
  // Do not start in the middle of a character.
  while (from < bytes.length && ((bytes[from] ?? 0) & 0xc0) === 0x80) from++;
  return bytes.toString("utf8", from);
}
