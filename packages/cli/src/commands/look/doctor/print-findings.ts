import { visible } from "@ojm/core/internal";
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

/** Of so many things with the same remedy it is told which they are, where another command shows all. */
const MOST = 5;

/** The command that shows all of a check that was not well. */
const SHOWN_BY: Readonly<Partial<Record<Finding["check"], string>>> = { schedulers: "ojm jobs" };

/** Prints what was found: a line for each thing, and below it what to do. */
export async function printFindings(given: Given, findings: readonly Finding[]): Promise<void> {
  if (given.flags.has("json") || given.flags.has("jsonl")) print(await itemsText(given, findings, [], ""));
  else {
    const paint = painter(given);
    print(
      groups(findings)
        .map((group) => groupText(group, outputWidth(), paint))
        .join(""),
    );
  }
}

/** Findings of one kind and with the same remedy stand together, and the remedy below them once. */
function groups(findings: readonly Finding[]): Finding[][] {
  const all: Finding[][] = [];
  for (const finding of findings) {
    const group = all.at(-1);
    const [first] = group ?? [];
    const isSame = first !== undefined && first.check === finding.check && first.state === finding.state;
    if (isSame && finding.help !== undefined && first.help === finding.help) group?.push(finding);
    else all.push([finding]);
  }
  return all;
}

/** Findings in lines of at most `width` columns, if their words allow it. They have the same remedy. */
export function groupText(group: readonly Finding[], width: number, paint: Paint): string {
  const [first] = group;
  if (first === undefined) return "";
  const { state, check, help } = first;
  const isNarrow = width < NARROW;
  const indent = isNarrow ? SMALL_INDENT : INDENT;
  const command = state === "problem" ? SHOWN_BY[check] : undefined;
  const isCut = command !== undefined && group.length > MOST;
  const lines = [
    ...group.slice(0, isCut ? MOST : group.length).map(({ text }) => text),
    ...(isCut ? [`and ${group.length - MOST} more: ${command}`] : []),
    ...(help === undefined ? [] : [`-> ${help}`]),
  ]
    // What a terminal would obey is shown as an escape: names and reasons come from a store.
    .flatMap((part) => fold(visible(part.replace(/\s+/g, " ")), width - 1 - indent))
    .map((line) => `${" ".repeat(indent)}${line}\n`);
  const head = `${paint(state, colorOf(state))}${" ".repeat(9 - state.length)}${check}`;
  if (isNarrow) return [`${head}\n`, ...lines].join("");
  return lines.join("").replace(/^ +/, `${head}${" ".repeat(INDENT - 9 - check.length)}`);
}
