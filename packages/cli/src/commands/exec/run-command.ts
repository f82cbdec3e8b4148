import type { JobManager, Run, RunError } from "@ojm/core";
import { EXIT } from "../../errors.js";
import { printError } from "../../output/print.js";
import { sayDuration } from "../../output/times.js";
import { type Ended, GuardedProcess } from "./guarded-process.js";
import { takePlace } from "./orphaned-retries.js";
import { type CommandNote, Predecessor, sayLiving } from "./predecessor.js";
import { blockedBy, failedBy, runNoted } from "./supervise.js";

/** After this long without an answer of the store, ojm prints what it waits for, in ms. */
const SILENCE = 10_000;

/** The signals that ask ojm to end. A terminal that closes sends SIGHUP more than once. */
const ENDING = ["SIGINT", "SIGTERM", "SIGQUIT"] as const;

/** The signals that are passed on to the command. */
const SIGNALS = [...ENDING, "SIGHUP", "SIGUSR1", "SIGUSR2"] as const;

type Passed = (typeof SIGNALS)[number];

/** Signals to ojm within this time count as one, in ms: timeout(1) and npm each send theirs twice. */
export const ONE = 1_000;

/** How a command is run. */
export interface CommandOptions {
  readonly words: readonly string[];
  /** How long it may take, in ms. */
  readonly timeout: number;
  /** How long it has to end after SIGTERM, or after a signal that asks ojm to end, in ms. */
  readonly grace: number;
  /** How long to wait for the command of an earlier ojm that was killed, in ms. */
  readonly wait: number;
  /** Called once the command of a run has started. */
  readonly onBegin?: ((run: string) => void) | undefined;
}

/** Runs one command, once for each attempt. */
export class CommandRunner {
  readonly #manager: JobManager;
  readonly #options: CommandOptions;
  #current: GuardedProcess | undefined;
  /** Why the command did not start: one of an earlier run is still running. */
  blockedBy: { readonly text: string; readonly command: CommandNote } | undefined;
  /** The exit code for a signal to ojm. */
  signalled: number | undefined;
  /** Why the run lost its lock while its command was running; ojm then killed the command. */
  lost: RunError | undefined;
  /** The last signal that asked for the end, and when the first one came. */
  #signal: Passed | undefined;
  #askedAt: number | undefined;
  /** Why the command was killed after a signal to ojm. */
  #forcedBy: string | undefined;
  #killTimer: NodeJS.Timeout | undefined;
  /** The exit code of a command that ran to its end, whatever the outcome of its run. */
  code: number | undefined;
  /** The id of the run that started last. */
  run: string | undefined;
  readonly #waiting: AbortController = new AbortController();
  #silence: NodeJS.Timeout | undefined;
  #isDone = false;

  constructor(manager: JobManager, options: CommandOptions) {
    this.#manager = manager;
    this.#options = options;
  }

  /** Resolves once the command has ended, whatever happened to the run meanwhile. */
  get over(): Promise<unknown> {
    return this.#current?.ended.catch(() => {}) ?? Promise.resolve();
  }

  /** Fires at a signal while no command is running: ojm no longer waits for the lock or an attempt. */
  get waiting(): AbortSignal {
    return this.#waiting.signal;
  }

  /** Passes the signals that ojm gets to the command, from now on. */
  passOnSignals(): void {
    for (const signal of SIGNALS)
      process.on(signal, (_: string, number: number) => this.#got(signal, EXIT.signal + number));
  }

  #got(signal: Passed, code: number): void {
    const command = this.#current;
    const isUsers = signal === "SIGUSR1" || signal === "SIGUSR2";
    if (command === undefined || !isUsers) [this.signalled, this.#signal] = [code, signal];
    if (command === undefined) this.#waiting.abort(new Error(`ojm got ${signal}`));
    else if (this.#isSecond(signal))
      this.#force(command, `${signal}, the second signal`, "a second signal, and killed the command");
    else {
      command.kill(signal);
      if (this.#askedAt !== undefined) this.#killLater(command);
    }
  }

  #force(command: GuardedProcess, what: string, forcedBy: string): void {
    printError(`ojm: got ${what}: ends the command by SIGKILL`);
    this.#forcedBy = forcedBy;
    command.kill("SIGKILL");
  }

  /** Gives a command the grace to end after the first signal. */
  #killLater(command: GuardedProcess): void {
    const { grace } = this.#options;
    const [signal, within] = [this.#signal, `its grace of ${sayDuration(grace)}`];
    const what = `${signal}, and the command did not end within ${within}`;
    const forcedBy = `${signal}, and killed the command after ${within}`;
    clearTimeout(this.#killTimer);
    this.#killTimer = setTimeout(() => this.#force(command, what, forcedBy), grace);
  }

  /** Whether the user insists, such as with a second Ctrl-C. */
  #isSecond(signal: Passed): boolean {
    if (!ENDING.some((one) => one === signal)) return false;
    const first = this.#askedAt;
    this.#askedAt ??= performance.now();
    return first !== undefined && performance.now() - first >= ONE;
  }

  /** Called once the store has the outcome of the command. */
  answered(): void {
    clearTimeout(this.#silence);
  }

  /** Called when no attempt follows. After the loss of the lock, that is before the command has ended. */
  done(): void {
    this.#isDone = true;
    this.answered();
  }

  /** Prints a line after {@link SILENCE}: ojm waits for the store without a limit, and would seem to hang. */
  #awaitAnswer({ code }: Ended): void {
    if (this.#isDone) return;
    const text = `ojm: the command ended with exit code ${code}. The store has not answered since: ojm waits for it`;
    this.#silence = setTimeout(() => printError(text), SILENCE);
  }

  /** The job function of a run. */
  async body(run: Run): Promise<void> {
    this.answered();
    this.run = run.id;
    this.code = undefined;
    this.lost = undefined;
    const predecessor = new Predecessor(this.#manager, run.lock);
    if (await this.#isBlocked(run, predecessor)) return;
    // A failure here does not matter: the command must run.
    await takePlace(this.#manager, run).catch(() => {});
    const { words } = this.#options;
    const env = { ...process.env, OJM_RUN_ID: run.id, OJM_FENCE: run.fence };
    const command = new GuardedProcess(words, env, (text, stream) => run.log.write(text, stream));
    this.#current = command;
    const { timeout, grace, onBegin } = this.#options;
    const ended = await runNoted(run, command, predecessor, {
      timeout,
      grace,
      lost: (reason) => {
        this.lost = reason;
      },
      mayBegin: () => this.signalled === undefined,
      began: () => onBegin?.(run.id),
    }).finally(() => {
      clearTimeout(this.#killTimer);
      this.#current = undefined;
    });
    if (ended.isLate !== true && !run.signal.aborted) this.code = ended.code;
    if (ended.exit !== undefined) run.exited(...ended.exit);
    this.#awaitAnswer(ended);
    await predecessor.forget(run).catch(() => {});
    if (this.signalled !== undefined && ended.code !== 0) {
      const how = this.#forcedBy ?? `${this.#signal}, and the command ended`;
      await run.cancel(`ojm got ${how}: ${ended.text}`);
    } else if (ended.code !== 0) {
      throw await failedBy(run, ended);
    } else if (this.signalled !== undefined) {
      const text = `got ${this.#signal} and passed it on. The command ended with exit code 0: its run is completed`;
      run.log.warn(`ojm ${text}`);
      printError(`ojm: ${text}`);
    }
  }

  /** Waits for the command of an ojm that was killed. If it runs on, ends the run, and resolves to true. */
  async #isBlocked(run: Run, predecessor: Predecessor): Promise<boolean> {
    const { wait } = this.#options;
    const before = await blockedBy(run, predecessor, wait, run.signal);
    if (before === undefined) return false;
    const why = sayLiving(before);
    const reason = run.signal.aborted ? (run.signal.reason as Error & { readonly code?: unknown }) : undefined;
    if (reason !== undefined && reason.code !== "CANCELLED") throw reason;
    const text = reason === undefined && wait > 0 ? `within its --wait of ${sayDuration(wait)}, ${why}` : why;
    this.blockedBy = { text, command: before };
    if (reason === undefined) await run.skip(`the command did not begin: ${text}`);
    else await run.cancel(`${reason.message}. The command had not begun: ${why}`);
    return true;
  }
}
