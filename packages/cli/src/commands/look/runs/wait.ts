import { setTimeout as pause } from "node:timers/promises";
import type { JobManager, PendingRetry, RunRecord } from "@ojm/core";
import { endVerb, hasEnded } from "@ojm/core/internal";
import { operandOf } from "../../../command-line/parse.js";
import type { Given } from "../../../command-line/spec.js";
import { spanOption } from "../../../command-line/units.js";
import { EXIT } from "../../../errors.js";
import { colorOf } from "../../../output/color.js";
import { printItem } from "../../../output/items.js";
import { printError, wantsJson } from "../../../output/print.js";
import { oneLine } from "../../../output/table.js";
import { sayAttempt, sayTook } from "../../../output/times.js";
import { findRun } from "../../../store/find-run.js";
import { withStore } from "../../../store/open.js";
import { orphanedRetryHelp } from "../../exec/orphaned-retries.js";
import { retriesIn } from "../retry-series.js";

/** How often it is checked whether a process makes the next attempt, in ms. */
const LOOK = 2_000;

/** How long a scheduler that restarts has to take over the attempts of its schedules, in ms. */
const RESTART = 30_000;

/** Waits for the end of a run, and of the attempts that follow it. The exit code is that of the last one. */
export async function execute(given: Given): Promise<number> {
  const word = operandOf(given, "a run: its id, the beginning of one, or a name for its last run");
  const timeout = spanOption(given, "timeout") ?? Number.POSITIVE_INFINITY;
  const isAlone = given.flags.has("attempt");
  const until = performance.now() + timeout;
  return withStore(given, async (manager) => {
    const left = (): { readonly timeout: number } => ({ timeout: Math.max(0, until - performance.now()) });
    const run = await findRun(manager, word);
    let ended = (await manager.wait(run, left())) ?? run;
    await tellNext(given, manager, ended);
    let unmade: PendingRetry | undefined;
    while (!isAlone && hasEnded(ended)) {
      const next = await nextOf(manager, ended, left().timeout);
      if (next !== undefined && "due" in next) unmade = next;
      if (next === undefined || "due" in next) break;
      ended = (await manager.wait(next, left())) ?? next;
      await tellNext(given, manager, ended);
    }
    printItem(given, ended, [
      { title: "run", cut: "name", cell: ({ id }) => id },
      { title: "status", cell: ({ status }) => status, color: ({ status }) => colorOf(status) },
      { title: "attempt", cell: sayAttempt },
      { title: "took", cell: sayTook },
      { title: "error", cell: ({ error }) => error },
    ]);
    if (unmade !== undefined) {
      const { attempt, chain } = unmade;
      if (!wantsJson(given))
        printError(
          `ojm: no process makes attempt ${attempt} of ${chain}: its own is gone. What helps: ${orphanedRetryHelp(unmade)}`,
        );
      return EXIT.failed;
    }
    const isOver = isAlone || (await pendingAfter(manager, ended)) === undefined;
    return isOver ? exitOf(ended) : EXIT.running;
  });
}

/** The next attempt once it has started, or a pending one that no process makes; else `undefined`. */
async function nextOf(
  manager: JobManager,
  ended: RunRecord,
  timeout: number,
): Promise<RunRecord | PendingRetry | undefined> {
  const over = new AbortController();
  const unmade = untilUnmade(manager, ended, over.signal).finally(() => over.abort());
  // If the store is away, the other call fails too and reports the error.
  unmade.catch(() => {});
  const next = await manager.nextAttempt(ended, { timeout, signal: over.signal }).finally(() => over.abort());
  return next ?? (await unmade);
}

/** Polls whether a process makes the next attempt. Resolves to it once no process does. */
async function untilUnmade(
  manager: JobManager,
  ended: RunRecord,
  signal: AbortSignal,
): Promise<PendingRetry | undefined> {
  for (let since: number | undefined; !signal.aborted; ) {
    const { id, name, chain = id } = ended;
    const pending = (await retriesIn(manager, name)).find((one) => one.chain === chain);
    if (pending?.orphaned) {
      since ??= performance.now();
      const patience = pending.schedule === undefined ? 0 : RESTART;
      if (performance.now() - since >= patience) return pending;
    } else since = undefined;
    await pause(LOOK, undefined, { signal }).catch(() => {});
  }
  return undefined;
}

/** The pending attempt after a run that has ended. */
async function pendingAfter(manager: JobManager, run: RunRecord): Promise<PendingRetry | undefined> {
  const { id, name, chain = id, status } = run;
  if (!hasEnded(run) || status === "completed") return undefined;
  return (await manager.retries(name)).find((one) => one.chain === chain);
}

/** Prints what the command waits for next. */
async function tellNext(given: Given, manager: JobManager, run: RunRecord): Promise<void> {
  // A program takes a line on stderr for an error.
  const next = wantsJson(given) ? undefined : await pendingAfter(manager, run);
  if (next === undefined) return;
  const { attempt = 1, status, error } = run;
  const end = `attempt ${attempt} of ${next.retry.attempts} ${endVerb(status)}${error === undefined ? "" : `: ${oneLine(error)}`}`;
  printError(`ojm: ${end}. Attempt ${next.attempt} is due at ${new Date(next.due).toISOString()}`);
}

function exitOf(run: RunRecord): number {
  const { status } = run;
  if (!hasEnded(run)) return EXIT.running;
  if (status === "timeout") return EXIT.timeout;
  return status === "completed" || status === "skipped" ? EXIT.ok : EXIT.failed;
}
