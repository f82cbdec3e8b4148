import { visible } from "@ojm/core/backend";
import type { Given } from "../../../command-line/spec.js";
import { colorOf, type Paint, painter } from "../../../output/color.js";
import { fold } from "../../../output/fold.js";
import { itemsText } from "../../../output/items.js";
import { print } from "../../../output/print.js";
import { outputWidth } from "../../../output/width/width.js";
import type { Finding } from "./finding.js";

/** The columns before the text, on a wide screen and on a narrow one. */
const INDENT = 22;
const SMALL_INDENT = 2;
const NARROW = 70;

/** Prints what was found: a line for each thing, and below it what to do. */
export async function printFindings(given: Given, findings: readonly Finding[]): Promise<void> {
  if (given.flags.has("json") || given.flags.has("jsonl")) print(await itemsText(given, findings, [], ""));
  else {
    const paint = painter(given);
    print(findings.map((finding) => findingText(finding, outputWidth(), paint)).join(""));
  }
}

/** A finding in lines of at most `width` columns, if its words allow it. */
export function findingText({ state, check, text, help }: Finding, width: number, paint: Paint): string {
  const isNarrow = width < NARROW;
  const indent = isNarrow ? SMALL_INDENT : INDENT;
  const lines = [text, ...(help === undefined ? [] : [`-> ${help}`])]
    // What a terminal would obey is shown as an escape: names and reasons come from a store.
    .flatMap((part) => fold(visible(part.replace(/\s+/g, " ")), width - 1 - indent))
    .map((line) => `${" ".repeat(indent)}${line}\n`);
  const head = `${paint(state, colorOf(state))}${" ".repeat(9 - state.length)}${check}`;
  if (isNarrow) return [`${head}\n`, ...lines].join("");
  return lines.join("").replace(/^ +/, `${head}${" ".repeat(INDENT - 9 - check.length)}`);
}
