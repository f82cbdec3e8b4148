import { ChannelError } from "./errors.js";

/** The distance of Damerau and Levenshtein in its restricted form: insert, delete, replace, swap neighbours. */
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

/** Longer words are no slips of the finger, and comparing two of 30,000 characters takes half a minute. */
const LONGEST = 200;

/**
 * The name out of `known` that somebody who wrote `word` most likely meant, or `undefined` if none is near.
 * Upper and lower case, `-` and `_` do not matter.
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  if (word.length > LONGEST) return undefined;
  const fold = (text: string): string => text.toLowerCase().replace(/[-_ ]/g, "");
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const name of known) {
    if (name.length > LONGEST) continue;
    const d = distance(fold(word), fold(name));
    if (d < bestDistance && d < name.length) {
      best = name;
      bestDistance = d;
    }
  }
  return best;
}

/** What is wrong with options of which some are not known, naming the nearest one that is; `undefined` if nothing is. */
export function unknownOption(whose: string, options: object, known: readonly string[]): string | undefined {
  const unknown = Object.keys(options).find((option) => !known.includes(option));
  if (unknown === undefined) return undefined;
  const near = nearest(unknown, known);
  const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
  const list = known.length === 0 ? "It has none." : `It has: ${known.join(", ")}.`;
  return `${whose} has no option "${unknown}".${hint} ${list}`;
}

/**
 * Refuses options that a backend does not know, naming the nearest one that it does.
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
