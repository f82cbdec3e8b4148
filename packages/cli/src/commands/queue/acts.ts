import { ojmCommand, present } from "@ojm/core/internal";
import type { PurgeOptions, QueueOptions } from "@ojm/queue";
import { firstOperand, lastValue, operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import {
  countOption,
  futureOption,
  permitsOption,
  rateOption,
  readRate,
  spanOption,
} from "../../command-line/units.js";
import { CommandError, EXIT } from "../../errors.js";
import { done, printError } from "../../output/print.js";
import { type OpenQueue, queueOf, refuseNewQueue, withQueue, withQueues } from "../../store/open-queues.js";
import { sayPaused } from "../act/pause.js";
import { author, reasonOf, whyOf } from "../act/reason.js";
import { count } from "../look/doctor/finding.js";
import { QUEUE } from "./shown.js";

/** An action on a queue, or with `ids`, on some of its items. */
type QueueAct = (given: Given, open: OpenQueue, ids: readonly string[]) => Promise<number | undefined>;

const ACTS: Readonly<Record<string, QueueAct>> = { discard, pause, purge, redrive, resume, retry };

/** Changes a queue, or its items: the command says how. */
export async function execute(given: Given): Promise<number> {
  const verb = given.command.replace("queue ", "");
  if (verb === "define") return define(given, operandOf(given, QUEUE));
  const takesItems = verb === "retry" || verb === "discard";
  const queue = takesItems ? firstOperand(given, QUEUE) : operandOf(given, QUEUE);
  const ids = [...new Set(given.operands.slice(1))];
  if (takesItems && ids.length === 0)
    throw new CommandError(`ojm ${given.command} needs the ids of items after the name of the queue`);
  return withQueue(given, queue, async (open) => ACTS[verb]?.(given, open, ids));
}

async function define(given: Given, queue: string): Promise<number> {
  const keep = spanOption(given, "keep");
  const options: QueueOptions = present({
    attempts: countOption(given, "attempts"),
    delay: spanOption(given, "delay"),
    backoff: lastValue(given, "backoff") as QueueOptions["backoff"],
    maxDelay: spanOption(given, "max-delay"),
    timeout: spanOption(given, "timeout"),
    perGroup: countOption(given, "per-group"),
    permits: permitsOption(given),
    rate: rateOption(given),
    record: lastValue(given, "record") as QueueOptions["record"],
    dead: keep === undefined ? undefined : { keep },
  });
  return withQueues(
    given,
    async (queues, manager) => {
      await refuseNewQueue(given, manager, queue);
      await queues.define(queue, options);
      const { options: defined } = await queueOf(queues, manager, queue);
      const text = `the queue "${queue}" is defined. To see its options: ${ojmCommand("queue show", queue)}`;
      return done(given, text, { queue, options: defined });
    },
    { create: true },
  );
}

async function pause(given: Given, { queue: { name, paused }, queues }: OpenQueue): Promise<undefined> {
  const replaced = paused?.maintenance === undefined ? paused : undefined;
  const until = futureOption(given, "until");
  const reason = await reasonOf(given, `pause the queue ${name}`);
  const by = author();
  await queues.pause(name, { reason, author: by, ...present({ until }) });
  const [what, effect] = [`the queue "${name}" is paused`, "no worker takes an item of it"];
  const text = sayPaused(what, effect, ojmCommand("queue resume", name), { until, replaced });
  return done(given, text, { queue: name, paused: true, reason, by, ...present({ until, replaced }) });
}

async function resume(given: Given, { queue: { name }, queues }: OpenQueue): Promise<undefined> {
  const wasPaused = await queues.resume(name, whyOf(given));
  const text = `the queue "${name}" ${wasPaused ? "is resumed" : "was not paused"}`;
  return done(given, text, { queue: name, wasPaused });
}

async function redrive(given: Given, { queue: { name }, queues }: OpenQueue): Promise<undefined> {
  const text = lastValue(given, "rate");
  const rate = text === undefined ? undefined : readRate(text);
  if (text !== undefined && rate === undefined)
    throw new CommandError(`--rate takes a number and a time, such as 100/1m or 5/s, not "${text}"`);
  const options = { ...whyOf(given), ...present({ limit: countOption(given, "limit"), rate }) };
  const retried = await queues.redrive(name, options);
  const which = count(retried, "dead letter");
  return done(given, `${which} of the queue "${name}" will be tried again`, { queue: name, retried });
}

async function purge(given: Given, { queue: { name }, queues }: OpenQueue): Promise<undefined> {
  const state = (lastValue(given, "state") ?? "waiting") as NonNullable<PurgeOptions["state"]>;
  const group = lastValue(given, "group");
  const of = `of the queue "${name}"${group === undefined ? "" : `, of the group "${group}"`}`;
  if (given.flags.has("dry-run")) {
    let items = 0;
    for await (const _ of queues.items(name, { state, ...present({ group }) })) items++;
    const text = `would remove ${count(items, `${state} item`)} ${of}`;
    return done(given, text, { dryRun: true, queue: name, state, items, ...present({ group }) });
  }
  const reason = await reasonOf(given, `remove all ${state} items ${of}`);
  const purged = await queues.purge(name, { state, reason, author: author(), ...present({ group }) });
  return done(given, `removed ${count(purged, `${state} item`)} ${of}`, { queue: name, purged, reason });
}

async function retry(given: Given, { queue: { name }, queues }: OpenQueue, ids: readonly string[]): Promise<undefined> {
  const why = whyOf(given);
  const { done: retried, failed } = await each(ids, (id) => queues.retry(name, id, why));
  const lines = retried.map((id) => `the item ${id} of the queue "${name}" waits for a worker`);
  if (lines.length > 0) done(given, lines.join("\n"), { queue: name, retried });
  return failed();
}

async function discard(given: Given, { queue: { name }, queues }: OpenQueue, ids: readonly string[]): Promise<number> {
  const what = ids.length === 1 ? `the item ${ids[0]}` : `${ids.length} items`;
  const reason = await reasonOf(given, `discard ${what} of ${name}`);
  const stopping: string[] = [];
  const { done: all, failed } = await each(ids, async (id) => {
    if (!(await queues.discard(name, id, { reason, author: author() }))) stopping.push(id);
  });
  const discarded = all.filter((id) => !stopping.includes(id));
  const item = (id: string): string => `the item ${id} of the queue "${name}"`;
  const lines = [
    ...discarded.map((id) => `discarded ${item(id)}`),
    ...stopping.map((id) => `asked the worker of ${item(id)} to stop, and it still runs`),
  ];
  const more = stopping.length > 0 && { stopping };
  if (lines.length > 0) done(given, lines.join("\n"), { queue: name, discarded, ...more, reason });
  failed();
  return stopping.length > 0 ? EXIT.running : EXIT.ok;
}

/** Which items a command changed. `failed` throws the last of the errors, and prints those before. */
interface Outcome {
  readonly done: readonly string[];
  failed(): undefined;
}

/** Changes items one after the other, even if some cannot be changed. */
async function each(ids: readonly string[], change: (id: string) => Promise<unknown>): Promise<Outcome> {
  const changed: string[] = [];
  const errors: unknown[] = [];
  for (const id of ids) {
    try {
      await change(id);
      changed.push(id);
    } catch (error) {
      errors.push(error);
      // Otherwise the error concerns this item alone: the store itself answers.
      if ((error as Error).name !== "QueueError") break;
    }
  }
  const failed = (): undefined => {
    for (const error of errors.slice(0, -1)) printError(`ojm: ${(error as Error).message}`);
    if (errors.length > 0) throw errors.at(-1);
  };
  return { done: changed, failed };
}
