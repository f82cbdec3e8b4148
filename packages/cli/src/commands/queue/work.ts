import { subscribe } from "node:diagnostics_channel";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Events, JobManager } from "@ojm/core";
import { GRACE } from "@ojm/core/internal";
import { pauseText, type Queues, type Worker } from "@ojm/queue";
import type { Given } from "../../command-line/spec.js";
import { countOption, spanOption } from "../../command-line/units.js";
import { CommandError, EXIT } from "../../errors.js";
import { explanationLine, printError } from "../../output/print.js";
import { sayDuration } from "../../output/times.js";
import { configuredNotify } from "../../store/config.js";
import { queueOf, refuseNewQueue, withQueues } from "../../store/open-queues.js";
import { nameOf, reported } from "../exec/exec.js";
import { ONE } from "../exec/run-command.js";
import { type ItemCommandOptions, ItemCommands } from "./item-commands.js";

/** How long an item waits that its command gave back, in ms. */
const LATER = 60_000;

/** How long a command has to end after the SIGTERM at the end of the grace, in ms. */
const LAST_MOMENT = 2_000;

/** How often `--drain` checks whether an item is left, in ms. */
const CHECK = 200;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP"] as const;

/** Runs a command for each item of a queue. */
export async function execute(given: Given): Promise<number> {
  const queue = nameOf(given, "a queue", "ojm queue work QUEUE -- COMMAND …");
  const concurrency = countOption(given, "concurrency") ?? 1;
  const grace = spanOption(given, "grace") ?? GRACE;
  const later = spanOption(given, "later") ?? LATER;
  refuseMissing(given.behind[0] ?? "");
  const notify = await configuredNotify(process.cwd());
  return withQueues(
    given,
    async (queues, manager) => {
      if (!(await refuseNewQueue(given, manager, queue)) && !given.flags.has("new")) {
        // Nothing can be drained: the name is probably wrong.
        if (given.flags.has("drain")) await queueOf(queues, manager, queue);
        printError(`ojm: there is no queue "${queue}" yet: waits for its first item`);
      }
      return reported(manager, undefined, notify, () =>
        work(given, queues, manager, queue, { words: given.behind, concurrency, grace, later }),
      );
    },
    { create: true, heartbeatThread: true },
  );
}

interface Settings extends ItemCommandOptions {
  readonly concurrency: number;
}

async function work(
  given: Given,
  queues: Queues,
  manager: JobManager,
  queue: string,
  { concurrency, ...settings }: Settings,
): Promise<number> {
  const { grace } = settings;
  const commands = new ItemCommands(manager, settings);
  const stopped = stopOnSignal(commands, grace);
  const worker = await queues.work(queue, (item) => commands.handle(item), { concurrency });
  const isDrained = given.flags.has("drain");
  const { paused } = await queueOf(queues, manager, queue);
  const why = paused && `the queue "${queue}" is ${pauseText(paused)}`;
  try {
    if (why !== undefined) {
      printError(`ojm: ${why}`);
      if (isDrained) return EXIT.locked;
    }
    const over = new AbortController();
    const ends = isDrained ? [stopped, empty(queues, worker, over.signal)] : [stopped];
    const code = await Promise.race(ends).finally(() => over.abort());
    return code ?? (commands.failed > 0 ? EXIT.failed : EXIT.ok);
  } finally {
    commands.stop();
    // Resolves once the commands have ended: it is the signals to them that keep to the grace.
    await worker.close({ grace: grace + 10 * LAST_MOMENT });
  }
}

/**
 * Resolves to the exit code at the first signal, or once the store is gone. The commands then have the
 * grace to end. At its end, or at a second signal, they are ended, and their items given back.
 */
function stopOnSignal(commands: ItemCommands, grace: number): Promise<number> {
  return new Promise((resolve) => {
    let first: number | undefined;
    const got = (signal: string, number: number): void => {
      if (first !== undefined) {
        if (performance.now() - first < ONE) return;
        printError(`ojm: got ${signal}, the second signal: ends the commands by SIGKILL, and gives their items back`);
        commands.end("SIGKILL", `a second signal, ${signal}`);
        return;
      }
      first = performance.now();
      commands.stop();
      if (commands.running > 0)
        printError(`ojm: got ${signal}: takes no further item, and waits ${sayDuration(grace)} for its commands`);
      setTimeout(() => {
        commands.end("SIGTERM", `${signal}, and its grace of ${sayDuration(grace)} was over`);
        setTimeout(() => commands.end("SIGKILL", signal), LAST_MOMENT).unref();
      }, grace).unref();
      resolve(EXIT.signal + number);
    };
    for (const signal of SIGNALS) process.on(signal, got);
    let isGone = false;
    subscribe("ojm:store:gone", (event) => {
      const { error } = event as Events["ojm:store:gone"];
      // Each channel of the store reports it.
      if (isGone) return;
      isGone = true;
      printError(`ojm: ${error.message}${explanationLine(error)}`);
      commands.end("SIGTERM", "the end of its store");
      resolve(EXIT.away);
    });
  });
}

/** Resolves once no item waits, and the worker has none. Items whose time has not come are left. */
async function empty(queues: Queues, worker: Worker, over: AbortSignal): Promise<undefined> {
  while (!over.aborted) {
    if (worker.active === 0 && !(await hasWaiting(queues, worker.queue)) && worker.active === 0) return;
    await pause(CHECK, undefined, { signal: over }).catch(() => {});
  }
}

async function hasWaiting(queues: Queues, queue: string): Promise<boolean> {
  // The first one is due first. A worker moves those that are due to those that wait: read these after.
  for await (const { due = 0 } of queues.items(queue, { state: "delayed", limit: 1 }))
    if (due <= Date.now()) return true;
  for await (const _ of queues.items(queue, { state: "waiting", limit: 1 })) return true;
  return false;
}

/**
 * Rejects a command that cannot be started: each item would fail, until all are dead letters.
 */
function refuseMissing(command: string): void {
  const folders = command.includes("/") ? [""] : (process.env["PATH"] ?? "").split(delimiter);
  const files = folders.map((folder) => (folder === "" ? command : join(folder, command)));
  if (!files.some((file) => isFile(file, constants.F_OK))) throw new CommandError(`there is no command "${command}"`);
  if (!files.some((file) => isFile(file, constants.X_OK))) throw new CommandError(`"${command}" cannot be executed`);
}

function isFile(path: string, access: number): boolean {
  try {
    accessSync(path, access);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
