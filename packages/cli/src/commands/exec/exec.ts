import { subscribe } from "node:diagnostics_channel";
import { basename } from "node:path";
import {
  type Events,
  isChannelError,
  isLockError,
  isRunError,
  type JobManager,
  type OnceOptions,
  type Run,
  type RunError,
} from "@ojm/core";
import { checkOnceCall, GRACE, lockProblem, ojmCommand, onceLock } from "@ojm/core/internal";
import type { PlannedNotify } from "@ojm/ojob";
import { checkNewName, lastValue } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { countOption, permitsOption, rateOption, spanOption } from "../../command-line/units.js";
import { CommandError, EXIT } from "../../errors.js";
import { explanationLine, printError } from "../../output/print.js";
import { sayDuration } from "../../output/times.js";
import { configuredNotify } from "../../store/config.js";
import { withStore } from "../../store/open.js";
import { OWN_RUN } from "./orphaned-retries.js";
import { endCommand } from "./orphans.js";
import { type Pinger, pingOption } from "./pinger.js";
import { type CommandNote, Predecessor, sayLiving } from "./predecessor.js";
import { markReported, noteRefusal } from "./refusals.js";
import { CommandRunner } from "./run-command.js";
import { CommandFailed } from "./supervise.js";

const HOUR = 3_600_000;

/** How long the lock outlives the timeout and the grace, in ms, so that SIGKILL can take effect. */
const REST = 60_000;

/** Runs any command under a lock, with a record and a log. Resolves to its exit code. */
export async function execute(given: Given): Promise<number> {
  const name = nameOf(given, "a name", "ojm exec NAME -- COMMAND …");
  checkNewName(name);
  const words = given.behind;
  const [timeout, grace] = [spanOption(given, "timeout") ?? HOUR, spanOption(given, "grace") ?? GRACE];
  if (timeout === 0) throw new CommandError("--timeout must be more than 0");
  const [attempts, delay] = [countOption(given, "retry"), spanOption(given, "retry-delay")];
  const wait = spanOption(given, "wait") ?? 0;
  const once = await onceOption(given);
  const [permits, rate] = [permitsOption(given), rateOption(given)];
  const key = keyOption(given, name);
  const lock = key === undefined ? lockOption(given) : onceLock(name, key.key);
  const [pinger, notify] = [await pingOption(given), await configuredNotify(process.cwd())];
  return withStore(
    given,
    (manager) =>
      reported(manager, pinger, notify, async () => {
        const onBegin = (run: string): void => pinger?.begin(run);
        const runner = new CommandRunner(manager, { words, timeout, grace, wait, onBegin });
        runner.passOnSignals();
        // Checked before the run, which would write a record: with a start by cron each minute, these records
        // would hide that of the run whose command is still running.
        const orphan = wait === 0 ? await new Predecessor(manager, lock ?? name).orphan() : undefined;
        if (orphan !== undefined) {
          const text = sayNotStarted(name, sayLiving(orphan));
          await noteStart(manager, name, text);
          return blocked(given, manager, text, orphan);
        }
        subscribe("ojm:attempt:failed", (event) => tellAttempt(event as Events["ojm:attempt:failed"], runner));
        const options = {
          trigger: "exec",
          wait,
          timeout: wait + timeout + grace + REST,
          // Stores only the program: the words after it may contain passwords.
          meta: { command: basename(/^[^\s=]*/.exec(words[0] ?? "")?.[0] ?? ""), timeout, grace, ...once?.meta },
          ...(once && { once: once.options }),
          ...(lock !== undefined && key === undefined && { lock }),
          ...(permits && { permits }),
          ...(rate && { rate }),
          signal: runner.waiting,
          claim: OWN_RUN,
          ...(attempts !== undefined && { retry: { attempts, onLost: true, ...(delay !== undefined && { delay }) } }),
        };
        try {
          const body = (run: Run): Promise<void> => runner.body(run);
          const running =
            key === undefined
              ? manager.run(name, body, options).then(() => true)
              : manager.once(name, key.key, body, { ...options, keep: key.keep }).then(({ first }) => first);
          if (!(await running.finally(() => runner.done())))
            return unstarted(given, `"${name}" was not started: its key "${key?.key}" is done`, EXIT.ok);
        } catch (error) {
          await runner.over;
          if (runner.signalled === undefined) return exitOf(error, given, manager, runner);
          if (runner.waiting.aborted && runner.run !== undefined) {
            const { message } = error as Error;
            // Without an answer of the store, the attempt may be pending there, and no process makes it.
            const what = isChannelError(error) ? `ojm got a signal, and ${message}` : `${message}. No attempt follows`;
            printError(`ojm: ${what}`);
          }
          return runner.signalled;
        }
        // Ends as its command does, even if a signal came meanwhile.
        const { blockedBy: by } = runner;
        return by === undefined ? EXIT.ok : blocked(given, manager, sayNotStarted(name, by.text), by.command);
      }),
    { create: true, heartbeatThread: true },
  );
}

/** Opens the alerts of the config, calls `run`, and then reports its exit code to the check of `--ping`. */
export async function reported(
  manager: JobManager,
  pinger: Pinger | undefined,
  notify: PlannedNotify | undefined,
  run: () => Promise<number>,
): Promise<number> {
  const notifier = notify && (await openAlerts(notify, manager));
  let code: number = EXIT.failed;
  try {
    code = await run();
    return code;
  } finally {
    await Promise.all([notifier?.close(), pinger?.end(code)]);
  }
}

async function openAlerts(notify: PlannedNotify, manager: JobManager): Promise<{ close(): Promise<void> }> {
  const { openNotifier } = await import("@ojm/ojob");
  try {
    return await openNotifier(notify, manager, (text) => printError(`ojm: ${text}`));
  } catch (error) {
    const { message, cause } = error as Error;
    throw isChannelError(cause) ? cause : new CommandError(message);
  }
}

/** The name of the job, or of what `what` says. The command is behind the two dashes. */
export function nameOf({ command, operands: [name, more], behind }: Given, what: string, form: string): string {
  if (name === undefined) throw new CommandError(`ojm ${command} needs ${what} and a command: ${form}`);
  if (more !== undefined)
    throw new CommandError(`"${more}" is before the two dashes: write the command after them, as in ${form}`);
  if (behind.length === 0) throw new CommandError(`ojm ${command} needs a command after two dashes: ${form}`);
  return name;
}

function lockOption(given: Given): string | undefined {
  const lock = lastValue(given, "lock");
  const problem = lock === undefined ? undefined : lockProblem(lock);
  if (problem !== undefined) throw new CommandError(`--lock: ${problem}`);
  return lock;
}

/** The key of --once-key, and how long it stays done. */
function keyOption(given: Given, name: string): { readonly key: string; readonly keep: number } | undefined {
  const key = lastValue(given, "once-key");
  const keep = spanOption(given, "keep");
  if (key === undefined && keep === undefined) return undefined;
  if (key === undefined || keep === undefined) throw new CommandError("--once-key and --keep need each other");
  const other = ["lock", "once-per", "tick"].find((option) => given.values[option] !== undefined);
  if (other !== undefined) throw new CommandError(`--once-key and --${other} exclude each other`);
  try {
    checkOnceCall(name, key, { keep });
  } catch (error) {
    throw isRunError(error) ? new CommandError(`--once-key: ${error.message}`) : error;
  }
  return { key, keep };
}

/** The option of the run for --once-per or --tick, and the fields that its record shows. */
async function onceOption(
  given: Given,
): Promise<{ readonly options: OnceOptions; readonly meta: { readonly [field: string]: string } } | undefined> {
  const per = spanOption(given, "once-per");
  const [cron, timeZone] = [lastValue(given, "tick"), lastValue(given, "time-zone")];
  if (timeZone !== undefined && cron === undefined)
    throw new CommandError("--time-zone is the time zone of --tick: give both");
  if (per !== undefined && cron !== undefined) throw new CommandError("--once-per and --tick exclude each other");
  if (per === 0) throw new CommandError("--once-per must be more than 0");
  if (per !== undefined) return { options: { per }, meta: { oncePer: sayDuration(per) } };
  if (cron === undefined) return undefined;
  const { isScheduleError } = await import("@ojm/schedule");
  const { lastTickOf, onceFor } = await import("@ojm/schedule/internal");
  try {
    const now = Date.now();
    const tick = lastTickOf(cron, timeZone, now);
    return { options: onceFor(tick, now), meta: { tick: new Date(tick.at).toISOString() } };
  } catch (error) {
    throw isScheduleError(error) ? new CommandError(`--tick: ${error.message}`) : error;
  }
}

async function exitOf(error: unknown, given: Given, manager: JobManager, runner: CommandRunner): Promise<number> {
  if (error instanceof CommandFailed) {
    if (error.isUnexplained) printError(`ojm: ${error.message}`);
    const away = await storeError(manager, runner.run);
    if (away !== undefined) printError(sayUnrecorded(given, error.code, away));
    return error.code;
  }
  const isLost = isRunError(error) && error.code === "LOST";
  if (runner.code !== undefined && isRunError(error) && error.code === "ENDED") {
    printError(`ojm: the command ended with exit code ${runner.code}. ${error.message}`);
    return runner.code;
  }
  if (runner.code !== undefined && (isLost || isChannelError(error))) {
    // The command is done: an error code would make a caller run it again.
    printError(sayUnrecorded(given, runner.code, error));
    return runner.code;
  }
  if (!isRunError(error) || error.code === "INVALID") throw error;
  if (error.code === "STARTED") return unstarted(given, error.message, EXIT.started);
  if (error.code === "LOCKED") return refused(given, manager, error.message);
  printError(`ojm: ${sayEnd(error, runner)}${explanationLine(runner.lost ?? error)}`);
  if (error.code === "TIMEOUT") return EXIT.timeout;
  if (!isLost) return EXIT.failed;
  // Even if the store is back by now: exit code 5 means that the caller should try again.
  if (isLockError(error.cause) && error.cause.isUnanswered) return EXIT.away;
  return (await storeError(manager, runner.run)) === undefined ? EXIT.failed : EXIT.away;
}

/** Why the store does not answer, so that the lock is lost and the run unrecorded; else `undefined`. */
async function storeError(manager: JobManager, run: string | undefined): Promise<Error | undefined> {
  try {
    if (run !== undefined) await manager.wait(run, { timeout: 0 });
    return undefined;
  } catch (error) {
    return isChannelError(error) ? error : undefined;
  }
}

function sayUnrecorded({ operands: [name = ""] }: Given, code: number, error: Error): string {
  const later = `It may be recorded once the store is back. To check: ${ojmCommand("show", name)}`;
  return `ojm: the command ended with exit code ${code}, and its run is not recorded so far: ${error.message}. ${later}${explanationLine(error)}`;
}

/** The outcome of a command that did not end by itself, then the cause. */
function sayEnd({ code, message }: RunError, { blockedBy, lost }: CommandRunner): string {
  if (code === "CANCELLED" && blockedBy !== undefined)
    return `${message}. Its command had not begun: ${blockedBy.text}`;
  if (lost?.code !== "LOST") return message;
  const why = isLockError(lost.cause) ? (lost.cause.why ?? lost.cause.message) : lost.message;
  return `the command was ended by SIGKILL, as its lock was lost: ${why}`;
}

/** Prints a line, because nothing else is printed until the next attempt and ojm would seem to hang. */
function tellAttempt({ id, error, next }: Events["ojm:attempt:failed"], runner: CommandRunner): void {
  if (id !== runner.run) return;
  runner.answered();
  const why = error instanceof Error ? error.message : String(error);
  const wait = sayDuration(Math.max(0, next.due - Date.now()));
  printError(
    `ojm: attempt ${next.attempt - 1} of ${next.retry.attempts} failed: ${why}. The next one begins in ${wait}`,
  );
}

const sayNotStarted = (name: string, why: string): string => `"${name}" was not started: ${why}`;

/** A start that was refused has no record: a note lets `ojm why` report it. */
async function noteStart(manager: JobManager, name: string, text: string): Promise<void> {
  // Even if the note fails, the command did not start.
  await noteRefusal(manager, name, text).catch(() => {});
}

async function refused(given: Given, manager: JobManager, text: string): Promise<number> {
  const [name = ""] = given.operands;
  await noteStart(manager, name, text);
  return unstarted(given, text);
}

/**
 * Reports that the command of a killed ojm prevents the start. A lock that is held is normal, and this is
 * not: the job does not run again until that command ends. So even with --quiet-if-locked, the first start
 * that it prevents reports it. Further ones do not, because a line of cron may start each minute.
 */
async function blocked(given: Given, manager: JobManager, text: string, command: CommandNote): Promise<number> {
  const [name = ""] = given.operands;
  const isQuiet = given.flags.has("quiet-if-locked");
  if (!isQuiet || (await markReported(manager, name, command.run).catch(() => true)))
    printError(`ojm: ${text}. To end it: ${endCommand(command)}`);
  return EXIT.locked;
}

function unstarted(given: Given, text: string, code: number = EXIT.locked): number {
  if (!given.flags.has("quiet-if-locked")) printError(`ojm: ${text}`);
  return code;
}
