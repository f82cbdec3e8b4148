import { unknownOption } from "@ojm/core/internal";

/**
 * Refuses an unknown option: with a misspelt `host`, another address would be listened on than the
 * one that was meant.
 *
 * @throws TypeError
 */
export function checkOptions(whose: string, options: object, known: readonly string[]): void {
  const problem = unknownOption(whose, options, known);
  if (problem !== undefined) throw new TypeError(problem);
}
