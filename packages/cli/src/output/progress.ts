import type { Progress } from "@ojm/core";

/** The characters of a bar. */
const BAR = 10;

/** The progress of a run, in a few words; empty if it has reported none so far. */
export function sayProgress({ done, total, text }: Progress): string {
  if (done === 0 && total === undefined) return text ?? "";
  const amount = total === undefined ? String(done) : `${done} of ${total}${share(done, total)}`;
  return text === undefined ? amount : `${amount} ${text}`;
}

function share(done: number, total: number): string {
  return total > 0 ? ` (${Math.floor((100 * done) / total)} %)` : "";
}

/** The same for a screen, with a bar in front: `[####------] 40 % 4 of 10 orders`. */
export function drawProgress(progress: Progress): string {
  const { done, total, text } = progress;
  if (total === undefined || !(total > 0)) return sayProgress(progress);
  const part = Math.min(1, Math.max(0, done / total));
  const full = Math.round(part * BAR);
  const bar = `[${"#".repeat(full)}${"-".repeat(BAR - full)}] ${Math.floor(part * 100)} % ${done} of ${total}`;
  return text === undefined ? bar : `${bar} ${text}`;
}

/** The columns of a bar with its percentage. */
export const LEAST_PROGRESS: number = BAR + "[] 100 %".length;
