import { unknownOption } from "@ojm/core/internal";

/**
 * Rejects an unknown option: with a misspelt `host`, the server would listen on another address than
 * intended.
 *
 * @throws TypeError
 */
export function checkOptions(whose: string, options: object, known: readonly string[]): void {
  const problem = unknownOption(whose, options, known);
  if (problem !== undefined) throw new TypeError(problem);
}
