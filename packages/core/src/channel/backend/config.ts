import { ChannelError } from "../errors.js";

/** The restricted Damerau-Levenshtein distance: insert, delete, replace, swap neighbours. */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last: number[] = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** A longer word is not a typo, and comparing two words of 30,000 characters takes half a minute. */
const LONGEST_WORD = 200;

/**
 * The name among `known` that is nearest to `word`, if one is near. Case, `-` and `_` do not matter.
 * `most`: how many changes of a letter are near. Default: a third of the word, and at least 2.
 */
export function nearest(
  word: string,
  known: Iterable<string>,
  most: number = Math.max(2, Math.floor(word.length / 3)),
): string | undefined {
  if (word.length > LONGEST_WORD) return undefined;
  const fold = (text: string): string => text.toLowerCase().replace(/[-_ ]/g, "");
  let best: string | undefined;
  let bestDistance = most + 1;
  for (const name of known) {
    if (name.length > LONGEST_WORD) continue;
    const [from, to] = [fold(word), fold(name)];
    const d = distance(from, to);
    // Words without a letter in common are not near, however short they are.
    if (d < bestDistance && d < Math.max(from.length, to.length)) {
      best = name;
      bestDistance = d;
    }
  }
  return best;
}

/**
 * The message for an unknown option, with the nearest known one; `undefined` if all options are known.
 * `internal`: options that are known, and that the message does not offer.
 *
 * @example
 * const problem = unknownOption("openMetricsServer", options, ["host", "port", "ready"]);
 * if (problem !== undefined) throw new TypeError(problem);
 */
export function unknownOption(
  whose: string,
  options: object,
  known: readonly string[],
  internal: readonly string[] = [],
): string | undefined {
  const unknown = Object.keys(options).find((option) => !known.includes(option) && !internal.includes(option));
  if (unknown === undefined) return undefined;
  const near = nearest(unknown, known);
  const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
  const list = known.length === 0 ? "It has none." : `It has: ${known.join(", ")}.`;
  return `${whose} has no option "${unknown}".${hint} ${list}`;
}

/**
 * Rejects an unknown option of a backend. The message names the nearest known option.
 *
 * @throws ChannelError `INVALID_CONFIG`
 */
export function rejectUnknownOptions(
  type: string,
  args: Readonly<Record<string, unknown>>,
  known: readonly string[],
): void {
  const problem = unknownOption(`channel type "${type}"`, args, known);
  if (problem !== undefined) throw new ChannelError("INVALID_CONFIG", problem);
}
