import { LINES, visible } from "@ojm/core/internal";
import type { Given } from "../../command-line/spec.js";
import { jsonText, print, wantsJson } from "../../output/print.js";

/** Says what was done, and to whom: as a line, or as the JSON that the user asks for. */
export function done(given: Given, text: string, item: object): undefined {
  if (wantsJson(given)) print(`${jsonText(item)}\n`);
  else print(`${visible(text, LINES)}\n`);
  return undefined;
}
