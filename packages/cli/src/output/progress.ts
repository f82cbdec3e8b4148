import type { Progress } from "@ojm/core";

/** The characters of a bar. */
const BAR = 10;

/** How far a run is, in a few words. */
export function sayProgress({ done, total, text }: Progress): string {
  const amount = total === undefined ? String(done) : `${done} of ${total}${share(done, total)}`;
  return text === undefined ? amount : `${amount} ${text}`;
}

function share(done: number, total: number): string {
  return total > 0 ? ` (${Math.floor((100 * done) / total)} %)` : "";
}

/** The same with a bar in front: `[####------] 4 of 10 (40 %) orders`. */
export function drawProgress(progress: Progress): string {
  const { done, total } = progress;
  if (total === undefined || !(total > 0)) return sayProgress(progress);
  const full = Math.round(Math.min(1, Math.max(0, done / total)) * BAR);
  return `[${"#".repeat(full)}${"-".repeat(BAR - full)}] ${sayProgress(progress)}`;
}
