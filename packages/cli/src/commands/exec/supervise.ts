import type { Run, RunError } from "@ojm/core";
import { EXIT } from "../../errors.js";
import { sayDuration } from "../../output/times.js";
import type { Ended, GuardedProcess } from "./guarded-process.js";
import { type CommandNote, type Predecessor, sayOjm } from "./predecessor.js";

/** How a command of a run is supervised. */
export interface Supervision {
  /** How long it may take, in ms. */
  readonly timeout: number;
  /** How long it has to end after the SIGTERM of the timeout or of a cancel, in ms. */
  readonly grace: number;
  /** Called if the run loses its lock. */
  readonly lost?: (reason: RunError) => void;
  /** Whether the command may start. */
  readonly mayBegin?: () => boolean;
  /** Called once it has started. */
  readonly began?: () => void;
}

/** Runs the command of a run, and leaves a note of its process for the case that this process is killed. */
export async function runNoted(
  run: Run,
  command: GuardedProcess,
  predecessor: Predecessor,
  supervision: Supervision,
): Promise<Ended> {
  try {
    if (command.identity !== undefined) await predecessor.note(run, command.identity);
  } catch (error) {
    // The command still waits for the line that lets it start, and never gets it.
    command.kill("SIGKILL");
    await command.ended;
    throw error;
  }
  return supervised(run, command, supervision);
}

/**
 * Waits for the command of an earlier run, whose ojm was killed. Resolves to the command if it still runs
 * then. The run has a lock and a record: its progress shows that its own command has not started.
 */
export async function blockedBy(
  run: Run,
  predecessor: Predecessor,
  wait: number,
  signal: AbortSignal,
): Promise<CommandNote | undefined> {
  const living = await predecessor.living();
  if (living === undefined) return undefined;
  run.progress(0, undefined, `waits for pid ${living.pid}, the command of ${living.run}: ${sayOjm(living)}`);
  const before = await predecessor.outlived(wait, signal);
  if (before === undefined) run.progress(0);
  return before;
}

/** The error of a run whose command did not end well. */
export async function failedBy(run: Run, ended: Ended): Promise<CommandFailed> {
  const error = new CommandFailed(ended);
  // The manager would record the timeout of the lock, which is longer.
  if (ended.isLate && !run.signal.aborted) await run.fail(error, { status: "timeout" }).catch(() => {});
  return error;
}

/** A command that did not end well. */
export class CommandFailed extends Error {
  override readonly name: string = "Error";
  readonly code: number;
  /** Whether the command itself printed nothing about it, because ojm ended it or its output was lost. */
  readonly isUnexplained: boolean;

  constructor({ code, text, isLate, isUnexplained }: Ended) {
    super(text);
    this.code = code;
    this.isUnexplained = isLate === true || isUnexplained === true;
    // The stack of ojm says nothing about the command.
    this.stack = "";
  }
}

/** Starts the command, and ends it in time. */
async function supervised(
  run: Run,
  command: GuardedProcess,
  { timeout, grace, lost, mayBegin = () => true, began }: Supervision,
): Promise<Ended> {
  const timers: NodeJS.Timeout[] = [];
  const end = (): void => {
    command.kill("SIGTERM");
    timers.push(setTimeout(() => command.kill("SIGKILL"), grace));
  };
  let isLate = false;
  timers.push(
    setTimeout(() => {
      isLate = true;
      end();
    }, timeout),
  );
  const stop = (): void => {
    const { code } = run.signal.reason as { readonly code?: unknown };
    // A cancelled run keeps its lock until its end.
    if (code === "CANCELLED") end();
    else command.kill("SIGKILL");
  };
  // The command must be gone before another run starts, even within the grace of a cancel.
  const lose = (): void => {
    lost?.(run.lost.reason as RunError);
    command.kill("SIGKILL");
  };
  run.signal.addEventListener("abort", stop);
  run.lost.addEventListener("abort", lose);
  if (run.lost.aborted) lose();
  else if (run.signal.aborted) stop();
  else if (mayBegin()) {
    command.begin();
    began?.();
  } else command.kill("SIGKILL");
  const ended = await command.ended.finally(() => {
    // Closing the run fires its signal: a timer set then would keep ojm alive for the grace.
    run.signal.removeEventListener("abort", stop);
    run.lost.removeEventListener("abort", lose);
    for (const timer of timers) clearTimeout(timer);
  });
  if (!isLate) return ended;
  const text = `it took longer than ${sayDuration(timeout)}: ${ended.text}`;
  return { ...ended, code: EXIT.timeout, text, isLate };
}
