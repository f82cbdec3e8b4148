import type { JobManager, Run, RunError } from "@ojm/core";
import { EXIT } from "../../errors.js";
import { tell } from "../../output/print.js";
import { sayDuration } from "../../output/times.js";
import { type Ended, GuardedProcess } from "./guarded-process.js";
import { takePlace } from "./left-attempts.js";
import { Predecessor, sayLiving, sayOjm } from "./predecessor.js";

/** After so long without an answer of the store, the user is told what ojm waits for, in ms. */
const SILENCE = 10_000;

/** The signals that ask for the end of ojm. A terminal that goes away sends SIGHUP more than once. */
const ENDING = ["SIGINT", "SIGTERM", "SIGQUIT"] as const;

/** The signals that are passed on to the command. */
const SIGNALS = [...ENDING, "SIGHUP", "SIGUSR1", "SIGUSR2"] as const;

type Passed = (typeof SIGNALS)[number];

/** Signals to ojm that come within so long are one, in ms: timeout(1) and npm each send theirs twice. */
const ONE = 1_000;

/** A command that did not end well. */
export class CommandFailed extends Error {
  override readonly name: string = "Error";
  readonly code: number;
  /** Whether the command itself said nothing of it, as ojm ended it or its output was lost. */
  readonly isUntold: boolean;

  constructor({ code, text, isLate, isUntold }: Ended) {
    super(text);
    this.code = code;
    this.isUntold = isLate === true || isUntold === true;
    // Where ojm stood tells nobody anything about the command.
    this.stack = "";
  }
}

/** How a command is run. */
export interface CommandOptions {
  readonly words: readonly string[];
  /** How long it may take, in ms. */
  readonly timeout: number;
  /** How long it has to end after SIGTERM, or after a signal to ojm that asks for its end, in ms. */
  readonly grace: number;
  /** How long to wait for the command of an earlier ojm that was killed, in ms. */
  readonly wait: number;
  /** Called once the command of a run has begun. */
  readonly onBegin?: ((run: string) => void) | undefined;
}

/** Runs one command, once for each attempt. */
export class CommandRunner {
  readonly #manager: JobManager;
  readonly #options: CommandOptions;
  #current: GuardedProcess | undefined;
  /** Why the command did not begin: one of an earlier run still goes on. */
  blockedBy: string | undefined;
  /** The exit code that a signal to ojm asks for. */
  signalled: number | undefined;
  /** Why the run had no lock any more while its command ran: ojm killed the command then. */
  lost: RunError | undefined;
  /** The signal that asked for the end last, and when the first such signal came. */
  #signal: Passed | undefined;
  #askedAt: number | undefined;
  /** Why the command was killed after a signal to ojm. */
  #forcedBy: string | undefined;
  #cancelKill: () => void = () => {};
  /** The exit code of a command that ran to its end, whatever became of its run. */
  code: number | undefined;
  /** The id of the run that began last. */
  run: string | undefined;
  readonly #waiting: AbortController = new AbortController();
  #silence: NodeJS.Timeout | undefined;
  #isDone = false;

  constructor(manager: JobManager, options: CommandOptions) {
    this.#manager = manager;
    this.#options = options;
  }

  /** Resolves once the command is over, whatever became of the run meanwhile. */
  get over(): Promise<unknown> {
    return this.#current?.ended.catch(() => {}) ?? Promise.resolve();
  }

  /** Fires when a signal comes while no command runs: nobody waits for the lock or an attempt any more. */
  get waiting(): AbortSignal {
    return this.#waiting.signal;
  }

  /** Passes on the signals that ojm gets, from now on. */
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
    tell(`ojm: got ${what}: ends the command by SIGKILL`);
    this.#forcedBy = forcedBy;
    command.kill("SIGKILL");
  }

  /** Gives a command the grace to end after the first signal. */
  #killLater(command: GuardedProcess): void {
    const { grace } = this.#options;
    const [signal, within] = [this.#signal, `its grace of ${sayDuration(grace)}`];
    const what = `${signal}, and the command did not end within ${within}`;
    this.#cancelKill();
    const timer = setTimeout(
      () => this.#force(command, what, `${signal}, and killed the command after ${within}`),
      grace,
    );
    this.#cancelKill = () => clearTimeout(timer);
  }

  /** Whether a person insists, as by a second Ctrl-C. */
  #isSecond(signal: Passed): boolean {
    if (!ENDING.some((one) => one === signal)) return false;
    const first = this.#askedAt;
    this.#askedAt ??= performance.now();
    return first !== undefined && performance.now() - first >= ONE;
  }

  /** The store knows what became of the command. */
  answered(): void {
    clearTimeout(this.#silence);
  }

  /** Nothing follows the command: when the lock is lost, that is known before its end. */
  done(): void {
    this.#isDone = true;
    this.answered();
  }

  /** Without a word, ojm would seem to hang: with another attempt to make, it waits as long as it takes. */
  #awaitAnswer({ code }: Ended): void {
    if (this.#isDone) return;
    const text = `ojm: the command ended with exit code ${code}. The store has not answered since: ojm waits for it`;
    this.#silence = setTimeout(() => tell(text), SILENCE);
  }

  /** The body of a run. */
  async body(run: Run): Promise<void> {
    this.answered();
    this.run = run.id;
    this.code = undefined;
    this.lost = undefined;
    const predecessor = new Predecessor(this.#manager, run.name);
    if (await this.#isBlocked(run, predecessor)) return;
    // Whatever keeps it from that, the command is what the user wants.
    await takePlace(this.#manager, run).catch(() => {});
    const { words } = this.#options;
    const env = { ...process.env, OJM_RUN_ID: run.id, OJM_FENCE: run.fence };
    const command = new GuardedProcess(words, env, (text, stream) => run.log.write(text, stream));
    this.#current = command;
    const ended = await this.#runNoted(run, command, predecessor).finally(() => {
      this.#cancelKill();
      this.#current = undefined;
    });
    this.#awaitAnswer(ended);
    await predecessor.forget(run).catch(() => {});
    if (this.signalled !== undefined && ended.code !== 0) {
      const how = this.#forcedBy ?? `${this.#signal}, and the command ended`;
      await run.cancel(`ojm got ${how}: ${ended.text}`);
    } else if (ended.code !== 0) throw await this.#failed(run, ended);
    else if (this.signalled !== undefined) {
      const text = `got ${this.#signal} and passed it on. The command ended with exit code 0: its run is completed`;
      run.log.warn(`ojm ${text}`);
      tell(`ojm: ${text}`);
    }
  }

  /**
   * Waits for the command of an earlier ojm that was killed. Resolves to whether it still goes on: then the
   * run is over.
   */
  async #isBlocked(run: Run, predecessor: Predecessor): Promise<boolean> {
    const living = await predecessor.living();
    if (living === undefined) return false;
    // The run has its lock and a record: without this, nobody sees that its command has not begun.
    run.progress(0, undefined, `waits for pid ${living.pid}, the command of ${living.run}: ${sayOjm(living)}`);
    const { wait } = this.#options;
    const before = await predecessor.outlived(wait, run.signal);
    if (before === undefined) {
      run.progress(0);
      return false;
    }
    const why = sayLiving(before);
    const reason = run.signal.aborted ? (run.signal.reason as Error & { readonly code?: unknown }) : undefined;
    if (reason !== undefined && reason.code !== "CANCELLED") throw reason;
    this.blockedBy = reason === undefined && wait > 0 ? `within its --wait of ${sayDuration(wait)}, ${why}` : why;
    if (reason === undefined) await run.skip(`the command did not begin: ${this.blockedBy}`);
    else await run.cancel(`${reason.message}. The command had not begun: ${why}`);
    return true;
  }

  async #failed(run: Run, ended: Ended): Promise<CommandFailed> {
    const error = new CommandFailed(ended);
    // The lock has a longer timeout, which the manager would record by itself.
    if (ended.isLate && !run.signal.aborted) await run.fail(error, { status: "timeout" }).catch(() => {});
    return error;
  }

  async #runNoted(run: Run, command: GuardedProcess, predecessor: Predecessor): Promise<Ended> {
    try {
      if (command.identity !== undefined) await predecessor.note(run, command.identity);
    } catch (error) {
      // It waits for the word to begin, which does not come.
      command.kill("SIGKILL");
      await command.ended;
      throw error;
    }
    return this.#supervise(run, command);
  }

  /** Lets the command begin, and ends it in time. */
  async #supervise(run: Run, command: GuardedProcess): Promise<Ended> {
    const { timeout, grace, onBegin } = this.#options;
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
      // A run that is cancelled has its lock until its end.
      if (code === "CANCELLED") end();
      else command.kill("SIGKILL");
    };
    // Before another run begins, the command must be gone: also within the grace of a cancel.
    const lose = (): void => {
      this.lost = run.lost.reason as RunError;
      command.kill("SIGKILL");
    };
    run.signal.addEventListener("abort", stop);
    run.lost.addEventListener("abort", lose);
    if (run.lost.aborted) lose();
    else if (run.signal.aborted) stop();
    else if (this.signalled === undefined) {
      command.begin();
      onBegin?.(run.id);
    } else command.kill("SIGKILL");
    const ended = await command.ended.finally(() => {
      // What closes the run fires its signal: a timer set then would keep ojm alive for the grace.
      run.signal.removeEventListener("abort", stop);
      run.lost.removeEventListener("abort", lose);
      for (const timer of timers) clearTimeout(timer);
    });
    if (!isLate && !run.signal.aborted) this.code = ended.code;
    return isLate
      ? { code: EXIT.timeout, text: `it took longer than ${sayDuration(timeout)}: ${ended.text}`, isLate: true }
      : ended;
  }
}
