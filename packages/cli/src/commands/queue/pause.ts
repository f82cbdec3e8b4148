import { ojmCommand, present } from "@ojm/core/internal";
import { operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { futureOption } from "../../command-line/units.js";
import { done } from "../../output/print.js";
import { withQueue } from "../../store/open-queues.js";
import { sayPaused } from "../act/pause.js";
import { author, reasonOf } from "../act/reason.js";

/** Pauses a queue. */
export async function execute(given: Given): Promise<number> {
  const name = operandOf(given, "the name of a queue");
  const until = futureOption(given, "until");
  // Pausing a queue that no program uses would make it.
  return withQueue(given, name, async ({ queue: { paused: replaced }, queues }) => {
    const reason = await reasonOf(given, `pause the queue ${name}`);
    const by = author();
    await queues.pause(name, { reason, author: by, ...present({ until }) });
    const what = `the queue "${name}" is paused`;
    const text = sayPaused(what, "no worker takes an item of it", ojmCommand("queue resume", name), {
      until,
      replaced,
    });
    return done(given, text, { queue: name, paused: true, reason, by, ...present({ until, replaced }) });
  });
}
