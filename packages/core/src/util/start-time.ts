/*
 * Start times, in ms. If several runs of a name may begin in one ms, a fraction keeps them apart: the µs.
 * A number cannot hold 0.001 exactly. So only this file makes such fractions, and equal µs are equal numbers.
 * The pages of the UI read it, so it imports nothing.
 */

/** A start time in whole ms, as a time to show and to reckon with: its µs do not measure time. */
export const startMs = (startTime: number): number => Math.floor(startTime);

/** The µs of a time in ms, beyond its whole ms. */
const microsOf = (time: number): number => Math.round((time - startMs(time)) * 1_000);

/** A time of `micros` µs after a whole ms. */
export const withMicros = (ms: number, micros: number): number => (micros < 1_000 ? ms + micros / 1_000 : ms + 1);

/** The first start time after this one. */
export const startAfter = (time: number): number => withMicros(startMs(time), microsOf(time) + 1);

/** A start time in ISO 8601, UTC. It has three digits of a second, and six if the time has µs. */
export function startDateOf(startTime: number): string {
  const date = new Date(startMs(startTime)).toISOString();
  const micros = microsOf(startTime);
  return micros === 0 ? date : `${date.slice(0, -1)}${String(micros).padStart(3, "0")}Z`;
}

/** How long a run has taken, in ms. */
export const elapsedSince = (startTime: number, now: number): number => Math.max(0, now - startMs(startTime));
