/**
 * The monotonic clock of the host in ms, one for all processes. It does not use the code that is judged by
 * it.
 */
export function hostTime(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}
