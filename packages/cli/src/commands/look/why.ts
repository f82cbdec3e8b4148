import { ojmCommand } from "@ojm/core/internal";
import type { PastReason } from "@ojm/schedule/operator";
import { operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { timeOption } from "../../command-line/units.js";
import { CommandError } from "../../errors.js";
import { type Column, printItems } from "../../output/items.js";
import { print, wantsJson } from "../../output/print.js";
import { oneLine } from "../../output/table.js";
import { sayTime, timesOf } from "../../output/times.js";
import { fold, outputWidth } from "../../output/width/width.js";
import { findRun } from "../../store/find-run.js";
import { refuseUnknown } from "../../store/known-names.js";
import { withScheduler } from "../../store/open.js";
import { reasonsOf, type Why } from "./reasons.js";

const INDENT = "  ";

/** Shows why a job does not run now, or did not run at a time, or why a run ended as it did. */
export async function execute(given: Given): Promise<number> {
  const name = operandOf(given, "the name of a job");
  const columns: Column<Why>[] = [
    { title: "WHY", cell: ({ text }) => text },
    { title: "WHAT HELPS", cell: ({ help }) => help },
  ];
  const at = timeOption(given, "at", Date.now(), -1);
  // Also the beginning of the id of a run.
  const isRun = /@\d{4}-\d\d-\d\d/.test(name);
  if (isRun && at !== undefined) throw new CommandError(`${name} is a run, which has its own time: leave out --at`);
  return withScheduler(given, async (scheduler, manager) => {
    const { whyRun, whyThen } = await import("@ojm/schedule/operator");
    const all = isRun
      ? (await whyRun(manager, await findRun(manager, name))).map(withHelp)
      : at !== undefined
        ? (await whyThen(scheduler, manager, name, { at })).map(withHelp)
        : await reasonsOf(scheduler, manager, name);
    const isKnown = all.some(({ code }) => !["never", "unscheduled", "orphaned", "no-tick", "ahead"].includes(code));
    if (!isKnown) await refuseUnknown(manager, name);
    const isJson = wantsJson(given);
    const reasons = isJson ? all : all.map((reason) => ({ ...reason, text: withAges(reason.text, given) }));
    if (process.stdout.isTTY && !isJson) print(reasons.map((reason) => inLines(reason, outputWidth())).join(""));
    else await printItems(given, reasons, columns, "nothing is known of it");
  });
}

/** The command that shows more of a run of the past. */
function withHelp({ code, text, run }: PastReason): Why {
  const help = run === undefined ? undefined : code === "last" ? ojmCommand("logs", run) : ojmCommand("show", run);
  return { code, text, ...(help !== undefined && { help }) };
}

/**
 * Rewrites the times in a text in the format of `--time`. A relative time is added after the absolute one,
 * because people compare absolute times.
 */
function withAges(text: string, given: Given): string {
  const say = sayTime(given);
  const isRelative = timesOf(given) === "relative";
  // After an @, a time is part of the id of a run.
  return text.replace(/(?<![@\w])\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, (iso) => {
    const said = say(Date.parse(iso));
    return isRelative ? `${iso} (${said})` : said;
  });
}

/** A reason in lines that fit a terminal: a table would cut its end and the command that helps. */
function inLines({ text, help }: Why, width: number): string {
  const lines = fold(oneLine(text), width - INDENT.length).join(`\n${INDENT}`);
  return `${lines}\n${help === undefined ? "" : `${INDENT}-> ${help}\n`}`;
}
