import type { Progress } from "@ojm/core";

/** How far a run is, in a few words. */
export function sayProgress({ done, total, text }: Progress): string {
  const amount = total === undefined ? String(done) : `${done} of ${total}${share(done, total)}`;
  return text === undefined ? amount : `${amount} ${text}`;
}

function share(done: number, total: number): string {
  return total > 0 ? ` (${Math.floor((100 * done) / total)} %)` : "";
}
