import type { ProgressView } from "../api/types.js";

export { distanceText, durationText, elapsedText, tookText } from "../../../../core/src/util/duration.js";

/** `1 run`, `3 runs`. */
export const count = (n: number, one: string, many = `${one}s`): string => `${number(n)} ${n === 1 ? one : many}`;

/** A number with thousands separators. */
export function number(n: number): string {
  // Most numbers are whole, and the first formatter of a page takes a browser several ms.
  return Number.isSafeInteger(n) ? String(n).replace(/\B(?=(\d{3})+$)/g, ",") : n.toLocaleString("en-US");
}

/** A share of 1 in percent. 99.96 is not 100: something failed. */
export function percent(share: number): string {
  const value = share * 100;
  if (value > 99.9 && value < 100) return "99.9 %";
  // 0.07 times 100 is 7.000000000000001.
  const rounded = Math.round(value * 10) / 10;
  return `${Number.isInteger(rounded) ? rounded : rounded.toFixed(1)} %`;
}

/** How far a run is, from 0 to 1, if that is known. */
export const shareOf = (progress: ProgressView | undefined): number | undefined =>
  progress?.total === undefined || progress.total <= 0 ? undefined : Math.min(1, progress.done / progress.total);

/** The progress of a run as text: `3 of 5 · orders`. A run that waits has only a text. */
export function progressText({ done, total, text }: ProgressView): string {
  const amount = total === undefined ? number(done) : `${number(done)} of ${number(total)}`;
  if (done === 0 && total === undefined) return text ?? "";
  return text === undefined ? amount : `${amount} · ${text}`;
}
