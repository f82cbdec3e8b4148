/** The text of the line `n` of a log, so that each line shows whether it is the right one. */
export function lineOf(n: number): string {
  return `line ${n} of a job that writes much text: ${"é".repeat(n % 7)}`;
}
