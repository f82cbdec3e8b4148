import { fstatSync } from "node:fs";
import { text } from "node:stream/consumers";
import { ojmCommand, present } from "@ojm/core/internal";
import type { AddOptions, UniqueOptions } from "@ojm/queue";
import { expectNoMore, firstOperand, lastValue } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { countOption, futureOption, spanOption } from "../../command-line/units.js";
import { CommandError } from "../../errors.js";
import { done, printError } from "../../output/print.js";
import { refuseNewQueue, withQueues } from "../../store/open-queues.js";
import { QUEUE } from "./shown.js";

/** Adds an item to a queue. */
export async function execute(given: Given): Promise<number> {
  const queue = firstOperand(given, QUEUE);
  expectNoMore(given, 2);
  const options = optionsOf(given);
  const data = await dataOf(given.operands[1]);
  return withQueues(
    given,
    async (queues, manager) => {
      await refuseNewQueue(given, manager, queue);
      const added = await queues.add(queue, data, options);
      return done(given, sayAdded(queue, added), { queue, ...added });
    },
    { create: true },
  );
}

function sayAdded(queue: string, { id, added, replaced }: { id: string; added: boolean; replaced?: true }): string {
  if (added) return `added the item ${id} to the queue "${queue}". To see it: ${ojmCommand("queue show", queue, id)}`;
  const has = `the item ${id} of the queue "${queue}" has this unique key`;
  return replaced ? `${has}: it gets the new data` : `${has}: nothing was added`;
}

/** The data of the item: JSON, from the command line or from stdin; `null` without any. */
async function dataOf(word: string | undefined): Promise<unknown> {
  if (word === undefined) {
    // Not read: a loop may read it, and a program that starts this one may never end it.
    if (isFromShell()) printError("ojm: the data is null: to read it from stdin, give - as DATA");
    return null;
  }
  const isInput = word === "-";
  const data = isInput ? await text(process.stdin) : word;
  try {
    return JSON.parse(data);
  } catch (error) {
    const where = isInput ? "the data on stdin is not JSON" : "the data of the item is not JSON";
    const how = isInput ? "" : `. In a shell, quote it: '{"order":4711}', or '"a text"'`;
    throw new CommandError(`${where}: ${(error as Error).message}${how}`);
  }
}

/** Whether stdin is what a shell puts there for `|` and `<`. Not `/dev/null`, and not the sockets of Node. */
function isFromShell(): boolean {
  try {
    // With bigint: after a plain fstatSync of a pipe, realpathSync of Node 20 leaves symbolic links of paths
    // that it knows unresolved, and require() then does not find the driver of the store.
    const stdin = fstatSync(0, { bigint: true });
    return stdin.isFIFO() || stdin.isFile();
  } catch {
    return false;
  }
}

function optionsOf(given: Given): AddOptions {
  const [delay, at] = [spanOption(given, "delay"), futureOption(given, "at")];
  if (delay !== undefined && at !== undefined) throw new CommandError("--delay and --at exclude each other");
  return present({
    priority: priorityOption(given),
    delay,
    at,
    ttl: spanOption(given, "ttl"),
    group: lastValue(given, "group"),
    attempts: countOption(given, "attempts"),
    unique: uniqueOption(given),
  });
}

function priorityOption(given: Given): number | undefined {
  const text = lastValue(given, "priority");
  if (text === undefined) return undefined;
  if (!/^[+-]?\d{1,3}$/.test(text))
    throw new CommandError(`--priority takes a whole number from -100 to 100, not "${text}"`);
  return Number(text);
}

function uniqueOption(given: Given): UniqueOptions | undefined {
  const [key, until] = [lastValue(given, "unique"), lastValue(given, "unique-until")];
  const replace = given.flags.has("replace");
  if (key === undefined) {
    const lone = until === undefined ? (replace ? "replace" : undefined) : "unique-until";
    if (lone !== undefined) throw new CommandError(`--${lone} belongs to --unique: give both`);
    return undefined;
  }
  const span = until === "taken" || until === "done" ? until : spanOption(given, "unique-until");
  return { key, replace, ...present({ until: span }) };
}
