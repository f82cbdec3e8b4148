import type { ScheduleReason } from "@ojm/schedule";
import { operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { fold } from "../../output/fold.js";
import { type Column, printItems } from "../../output/items.js";
import { print } from "../../output/print.js";
import { oneLine } from "../../output/table.js";
import { outputWidth } from "../../output/width/width.js";
import { refuseUnknown } from "../../store/known-names.js";
import { withScheduler } from "../../store/open.js";

interface Why extends ScheduleReason {
  /** The command that helps, or shows more. */
  readonly help?: string;
}

/** What helps against a reason, or shows more of it. */
const HELPS: Readonly<Partial<Record<ScheduleReason["code"], (name: string, reason: ScheduleReason) => string>>> = {
  running: (name) => `ojm logs ${name} -f`,
  locked: (name) => `ojm unlock ${name} --reason …`,
  maintenance: (name) => `ojm unlock ${name} --reason …`,
  queue: () => "ojm ps",
  paused: (name) => `ojm resume ${name}`,
  last: (name, { reason }) => `ojm show ${reason?.run === undefined ? name : quoted(reason.run.id)}`,
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
    const reasons = all.map((reason): Why => {
      const help = HELPS[reason.code]?.(quoted(name), reason);
      return { ...reason, ...(help !== undefined && { help }) };
    });
    if (process.stdout.isTTY && !given.flags.has("json") && !given.flags.has("jsonl"))
      print(reasons.map((reason) => inLines(reason, outputWidth())).join(""));
    else await printItems(given, reasons, columns, "nothing is known of it");
    return undefined;
  });
}

/** A reason in lines that fit a terminal: in a table, its end and the command that helps would be cut. */
function inLines({ text, help }: Why, width: number): string {
  const lines = fold(oneLine(text), width - INDENT.length).join(`\n${INDENT}`);
  return `${lines}\n${help === undefined ? "" : `${INDENT}-> ${help}\n`}`;
}

/** A name as a word of the shell. */
function quoted(name: string): string {
  return /^[\w@%+=:,./-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
}
