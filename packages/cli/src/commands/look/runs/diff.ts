import type { JobManager, LogLine, RunRecord } from "@ojm/core";
import { visible } from "@ojm/core/internal";
import { alignLogs, differingSteps, MOST_COMPARED } from "@ojm/core/internal/operator";
import { expectNoMore } from "../../../command-line/parse.js";
import type { Given } from "../../../command-line/spec.js";
import { CommandError, notFound } from "../../../errors.js";
import { painter } from "../../../output/color.js";
import { Lines } from "../../../output/lines.js";
import { sayDuration, sayTook } from "../../../output/times.js";
import { findRun } from "../../../store/find-run.js";
import { withStore } from "../../../store/open.js";

/** How many equal lines are shown before and after a difference, and how many steps. */
const AROUND = 3;
const STEPS = 5;

/** Compares two runs: their facts, the steps that took another time, and their logs. */
export async function execute(given: Given): Promise<number> {
  const [word, other] = given.operands;
  expectNoMore(given, 2);
  if (word === undefined) throw new CommandError("ojm diff needs one run or two. See: ojm help diff");
  const paint = painter(given);
  return withStore(given, async (manager) => {
    const last = await findRun(manager, other ?? word);
    const first = other === undefined ? await lastSuccess(manager, last) : await findRun(manager, word);
    const [a, b] = await Promise.all([linesOf(manager, first), linesOf(manager, last)]);
    const out = new Lines(16_384);
    const removed = (text: string): Promise<void> => out.write(paint(`- ${visible(text, "\t")}`, "red"));
    const added = (text: string): Promise<void> => out.write(paint(`+ ${visible(text, "\t")}`, "green"));
    const [ofFirst, ofLast] = [factsOf(first), factsOf(last)];
    for (const [i, fact] of ofFirst.entries()) {
      if (fact === ofLast[i]) continue;
      if (fact !== "") await removed(fact);
      if (ofLast[i] !== undefined && ofLast[i] !== "") await added(ofLast[i]);
    }
    const blocks = alignLogs(a, b);
    const steps = differingSteps(blocks, { ...first, lines: a }, { ...last, lines: b }, STEPS);
    for (const { text, a: before, b: after } of steps)
      await out.write(`${sayDuration(before)} → ${sayDuration(after)} until ${visible(text ?? "the end of the run")}`);
    if (blocks.every(({ isSame }) => isSame))
      await out.write("The logs have no difference but numbers, times and ids.");
    for (const [at, { isSame, a: inA, b: inB }] of blocks.entries()) {
      const equal = b.slice(...inB).map(({ text }) => `  ${visible(text, "\t")}`);
      const [before, after] = [at === 0 ? 0 : AROUND, at === blocks.length - 1 ? 0 : AROUND];
      const hidden = equal.length - before - after;
      if (isSame && hidden > 1)
        equal.splice(
          before,
          hidden,
          paint(`@@ ${hidden} equal lines, up to line ${b[inB[1] - after - 1]?.line}`, "cyan"),
        );
      if (isSame) for (const line of equal) await out.write(line);
      else {
        for (const { text } of a.slice(...inA)) await removed(text);
        for (const { text } of b.slice(...inB)) await added(text);
      }
    }
    if (a.length === MOST_COMPARED || b.length === MOST_COMPARED)
      await out.write(`Only the first ${MOST_COMPARED} lines were compared.`);
    await out.flush();
  });
}

/** What two runs can differ in, each as text; in the same order for all runs. */
function factsOf(run: RunRecord): string[] {
  const { id, status, holder, versions, args, trigger, attempt, error } = run;
  const took = sayTook(run);
  const fact = (name: string, value: unknown): string => (value === undefined ? "" : `${name}: ${value}`);
  return [
    `run: ${id}`,
    `status: ${status}${took === "" ? "" : `, took ${took}`}`,
    ...[fact("where", `${holder.host}, pid ${holder.pid}`), fact("trigger", trigger), fact("attempt", attempt)],
    fact("versions", versions && `ojm ${versions.ojm}, Node ${versions.node}`),
    ...[fact("args", args && JSON.stringify(args)), fact("error", error)],
  ];
}

async function linesOf(manager: JobManager, run: RunRecord): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  for await (const item of manager.log(run)) {
    if ("text" in item) lines.push(item);
    if (lines.length === MOST_COMPARED) break;
  }
  return lines;
}

async function lastSuccess(manager: JobManager, { id, name, startTime: to }: RunRecord): Promise<RunRecord> {
  for await (const record of manager.history({ name, to, status: ["completed"], limit: 1 })) return record;
  throw notFound(`no run of "${name}" before ${id} completed: name another run to compare it with`);
}
