import type { LogItem, LogOptions, RunRecord } from "@ojm/core";
import { visible } from "@ojm/core/backend";
import { operandOf } from "../../../command-line/parse.js";
import type { Given } from "../../../command-line/spec.js";
import { countOption } from "../../../command-line/units.js";
import { colorOf, type Paint, painter } from "../../../output/color.js";
import { Lines } from "../../../output/lines.js";
import { tell } from "../../../output/tell.js";
import { type SayTime, sayTime } from "../../../output/times.js";
import { findRun } from "../../../store/find-run.js";
import { withStore } from "../../../store/open.js";

/** Shows the log of a run, and follows it. */
export async function execute(given: Given): Promise<number> {
  const word = operandOf(given, "a run: its id, the beginning of one, or a name for its last run");
  const tail = countOption(given, "tail");
  const toText = textOf(given);
  return withStore(given, async (manager) => {
    const run: RunRecord = await findRun(manager, word);
    const lines = new Lines();
    const stop = (): void => lines.close();
    process.once("SIGINT", stop);
    const options: LogOptions = {
      follow: given.flags.has("follow"),
      signal: lines.closed,
      ...(tail !== undefined && { tail }),
    };
    let isEmpty = true;
    try {
      for await (const item of manager.log(run, options)) {
        isEmpty = false;
        await lines.write(toText(item));
      }
      if (isEmpty) tell(`ojm: ${run.id} has no log`);
    } catch (error) {
      // Ctrl-C, or a reader that went away as `head` does: both have seen what they wanted.
      if (!lines.closed.aborted) throw error;
    } finally {
      process.off("SIGINT", stop);
    }
    return undefined;
  });
}

/** How an item of a log is written. */
function textOf(given: Given): (item: LogItem) => string {
  if (given.flags.has("json") || given.flags.has("jsonl")) return (item) => JSON.stringify(item);
  const say = sayTime(given);
  const plain = given.flags.has("raw") ? (text: string): string => text : (text: string): string => visible(text, "\t");
  const paint = painter(given);
  return (item) => line(item, say, plain, paint);
}

function line(item: LogItem, say: SayTime, plain: (text: string) => string, paint: Paint): string {
  if ("progress" in item) return "";
  if ("missing" in item)
    return item.missing === "unknown" ? "… the end is missing" : `… ${item.missing.lines} lines are missing`;
  return `${say(item.at)} ${paint(item.level, colorOf(item.level))}${" ".repeat(7 - item.level.length)}${plain(item.text)}`;
}
