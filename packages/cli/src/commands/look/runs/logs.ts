import { constants } from "node:os";
import type { LogItem, LogOptions, RunRecord } from "@ojm/core";
import { type LogAmount, type LogGap, visible } from "@ojm/core/internal";
import { operandOf } from "../../../command-line/parse.js";
import type { Given } from "../../../command-line/spec.js";
import { countOption } from "../../../command-line/units.js";
import { EXIT } from "../../../errors.js";
import { colorOf, painter } from "../../../output/color.js";
import { Lines, sayGap } from "../../../output/lines.js";
import { jsonText, printError, wantsJson } from "../../../output/print.js";
import { sayTime } from "../../../output/times.js";
import { findRun } from "../../../store/find-run.js";
import { withStore } from "../../../store/open.js";

/** Shows the log of a run, and follows it. */
export async function execute(given: Given): Promise<number> {
  const word = operandOf(given, "a run: its id, the beginning of one, or a name for its last run");
  const tail = countOption(given, "tail");
  const isFollowed = given.flags.has("follow");
  const isWhole = given.flags.has("json") && !given.flags.has("jsonl") && !isFollowed;
  const toText = textOf(given, isWhole);
  return withStore(given, async (manager) => {
    const run: RunRecord = await findRun(manager, word);
    const lines = new Lines();
    let isStopped = false;
    const stop = (): void => {
      isStopped = true;
      lines.close();
    };
    process.once("SIGINT", stop);
    const options: LogOptions = {
      follow: isFollowed,
      signal: lines.closed,
      ...(tail !== undefined && { tail }),
    };
    const isRead = !wantsJson(given);
    let count = 0;
    let first: LogItem | undefined;
    try {
      for await (const item of manager.log(run, options)) {
        // A gap that is the only item is normal: some stores retain no log of a run that completed.
        if (count === 0 && isRead && isDeleted(item)) first = item;
        else {
          if (count === 1 && first !== undefined) await lines.write(toText(first, 1));
          await lines.write(toText(item, count + 1));
        }
        count++;
      }
      if (isWhole) await lines.write(count === 0 ? "[]" : "]");
      if (count === 0 && isRead)
        printError(`ojm: ${run.id} has no log${run.status === "running" && !isFollowed ? " so far" : ""}`);
      if (count === 1 && isDeleted(first)) printError(`ojm: ${notKept(run)}: it had ${sayLines(first.missing.lines)}`);
    } catch (error) {
      // Ctrl-C, or a reader that closed its end, as `head` does.
      if (!lines.closed.aborted) throw error;
    } finally {
      process.off("SIGINT", stop);
    }
    // Like `ojm wait`: a script must not take Ctrl-C for the end of the run.
    return isStopped && isFollowed ? EXIT.signal + constants.signals.SIGINT : undefined;
  });
}

/** Whether lines are missing that were written and later deleted. */
function isDeleted(item: LogItem | undefined): item is LogGap & { readonly missing: LogAmount } {
  return item !== undefined && "missing" in item && item.missing !== "unknown" && item.dropped === undefined;
}

const sayLines = (lines: number): string => (lines === 1 ? "1 line" : `${lines} lines`);

/** Why a store has the number of lines of a log, but none of them. */
function notKept({ id, status }: RunRecord): string {
  const isWell = status === "completed" || status === "skipped";
  return isWell
    ? `this store keeps no log of a run that ${status === "completed" ? "completed" : "was skipped"}`
    : `the log of ${id} is not kept any more`;
}

/** Formats an item of a log, given its number. `isWhole`: as an item of one JSON array. */
function textOf(given: Given, isWhole: boolean): (item: LogItem, number: number) => string {
  if (isWhole) return (item, number) => `${number === 1 ? "[" : ","}${jsonText(item)}`;
  if (wantsJson(given)) return (item) => jsonText(item);
  const say = sayTime(given);
  const plain = given.flags.has("raw") ? (text: string): string => text : (text: string): string => visible(text, "\t");
  const paint = painter(given);
  return (item) => {
    if ("progress" in item) return "";
    if ("missing" in item) return sayGap(item);
    return `${say(item.at)} ${paint(item.level, colorOf(item.level))}${" ".repeat(7 - item.level.length)}${plain(item.text)}`;
  };
}
