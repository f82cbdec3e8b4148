import type { ProgressView } from "../api/types.js";
import { number } from "./duration.js";

/** How far a run is, in words: `3 of 5 · orders`. A run that waits has a text alone. */
export function progressText({ done, total, text }: ProgressView): string {
  const amount = total === undefined ? number(done) : `${number(done)} of ${number(total)}`;
  if (done === 0 && total === undefined) return text ?? "";
  return text === undefined ? amount : `${amount} · ${text}`;
}
