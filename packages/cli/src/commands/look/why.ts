import type { JobManager } from "@ojm/core";
import type { ScheduleReason } from "@ojm/schedule";
import { lastValue, operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { fold } from "../../output/fold.js";
import { type Column, printItems } from "../../output/items.js";
import { print } from "../../output/print.js";
import { oneLine } from "../../output/table.js";
import { sayTime } from "../../output/times.js";
import { outputWidth } from "../../output/width/width.js";
import { shellWord } from "../../shell-word.js";
import { refuseUnknown } from "../../store/known-names.js";
import { withScheduler } from "../../store/open.js";
import { orphansOf, sayHelp, sayOrphan } from "../exec/orphans.js";

interface Why extends Omit<ScheduleReason, "code"> {
  /** `orphan`: the command of `ojm exec` goes on although its ojm was killed. */
  readonly code: ScheduleReason["code"] | "orphan";
  /** The command that helps, or shows more. */
  readonly help?: string;
}

/** What helps against a reason, or shows more of it. */
const HELPS: Readonly<Partial<Record<ScheduleReason["code"], (name: string, reason: ScheduleReason) => string>>> = {
  running: (name) => `ojm logs ${name} -f`,
  locked: (name) => `ojm unlock ${name} --reason …`,
  maintenance: (name) => `ojm unlock ${name} --reason …`,
  queue: () => "ojm ps",
  waiting: (name) => `ojm ticks ${name}`,
  retry: (name) => `ojm cancel ${name} --reason …`,
  nobody: () => "start the process that adds the schedule",
  paused: (name) => `ojm resume ${name}`,
  last: (name, { reason }) => `ojm show ${reason?.run === undefined ? name : shellWord(reason.run.id)}`,
  next: (name) => `ojm run-now ${name} --reason …`,
};

const INDENT = "  ";

/** Shows why a job does not run now. */
export async function execute(given: Given): Promise<number> {
  const name = operandOf(given, "the name of a job");
  const columns: Column<Why>[] = [
    { title: "WHY", cell: ({ text }) => text },
    { title: "WHAT HELPS", cell: ({ help }) => help },
  ];
  return withScheduler(given, async (scheduler, manager) => {
    const all = await scheduler.why(name);
    if (all.every(({ code }) => code === "never" || code === "unscheduled")) await refuseUnknown(manager, name);
    // Nobody is there to run it now, or a hold keeps it away.
    const isKeptAway = all.some(({ code }) => code === "nobody" || code === "maintenance");
    const reasons = [
      ...(await orphansAs(manager, name)),
      ...all.map((reason): Why => {
        const help = isKeptAway && reason.code === "next" ? undefined : HELPS[reason.code]?.(shellWord(name), reason);
        const text = withAges(reason.text, given);
        return { ...reason, text, ...(help !== undefined && { help }) };
      }),
    ];
    if (process.stdout.isTTY && !given.flags.has("json") && !given.flags.has("jsonl"))
      print(reasons.map((reason) => inLines(reason, outputWidth())).join(""));
    else await printItems(given, reasons, columns, "nothing is known of it");
    return undefined;
  });
}

/** The command of an earlier `ojm exec` that outlived its ojm: the next one waits for it. */
async function orphansAs(manager: JobManager, name: string): Promise<Why[]> {
  const orphans = (await orphansOf(manager)).filter((orphan) => orphan.name === name);
  return orphans.map((orphan) => ({ code: "orphan", text: sayOrphan(orphan), help: sayHelp(orphan) }));
}

/** The times in a text as --time asks for: a relative one stands behind the time, which people compare. */
function withAges(text: string, given: Given): string {
  if (given.flags.has("json") || given.flags.has("jsonl")) return text;
  const say = sayTime(given);
  const isRelative = (lastValue(given, "time") ?? (process.stdout.isTTY ? "relative" : "iso")) === "relative";
  // Behind an @, a time is a part of the id of a run.
  return text.replace(/(?<![@\w])\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, (iso) => {
    const said = say(Date.parse(iso));
    return isRelative ? `${iso} (${said})` : said;
  });
}

/** A reason in lines that fit a terminal: in a table, its end and the command that helps would be cut. */
function inLines({ text, help }: Why, width: number): string {
  const lines = fold(oneLine(text), width - INDENT.length).join(`\n${INDENT}`);
  return `${lines}\n${help === undefined ? "" : `${INDENT}-> ${help}\n`}`;
}
