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

/** The data of the item: JSON, from the command line or stdin; `null` if that is empty or a terminal. */
async function dataOf(word: string | undefined): Promise<unknown> {
  const isInput = word === undefined || word === "-";
  const data = isInput ? await readInput(word) : word;
  if (word === undefined && data.trim() === "") return null;
  try {
    return JSON.parse(data);
  } catch (error) {
    const where = isInput ? "the data on stdin is not JSON" : "the data of the item is not JSON";
    const how = isInput ? "" : `. In a shell, quote it: '{"order":4711}', or '"a text"'`;
    throw new CommandError(`${where}: ${(error as Error).message}${how}`);
  }
}

async function readInput(word: string | undefined): Promise<string> {
  if (word === undefined && process.stdin.isTTY) return "";
  // A program that started ojm with a pipe may leave it open without a word.
  const hint = setTimeout(() => printError("ojm: waits for the data on stdin. To add null: </dev/null"), 3_000);
  return text(process.stdin).finally(() => clearTimeout(hint));
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
