import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { identityOf, type ProcessIdentity } from "@ojm/core/internal";
import { CommandError, EXIT } from "../../errors.js";

/**
 * Waits for the word to begin, and becomes the command then. If ojm dies before it gave the word, its end of
 * the pipe closes, and the command never begins.
 */
const GATE = 'IFS= read -r go <&3 || exit 125; exec 3<&-; exec "$@"';

/** How the shell ends if a command is not there, or is no program. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/** How long the output of a command is read after it was killed, in ms. */
const LAST_WORDS = 500;

/** How a command ended. */
export interface Ended {
  /** As a shell would tell it: 128 and the number of a signal that ended it. */
  readonly code: number;
  readonly text: string;
  /** Whether it was ended because it took too long. */
  readonly isLate?: true;
  /** Whether the command itself said nothing of it. */
  readonly isUntold?: true;
}

/** A command in a process group of its own, which begins when it is told to. */
export class GuardedProcess {
  readonly ended: Promise<Ended>;
  /** Why output was not passed on, such as a full disk; `undefined` while all was. */
  #unwritten: string | undefined;
  readonly #child: ChildProcess;
  #isOver = false;
  #isKilled = false;

  /** `onOutput` is called with what the command prints, beside its being passed through. */
  constructor(
    [command = "", ...words]: readonly string[],
    env: NodeJS.ProcessEnv,
    onOutput: (text: string, stream: "stdout" | "stderr") => void,
  ) {
    const child = spawn("/bin/sh", ["-c", GATE, "sh", command, ...words], {
      detached: true,
      env,
      stdio: ["inherit", "pipe", "pipe", "pipe"],
    });
    this.#child = child;
    const outputs = (["stdout", "stderr"] as const).map((stream) => {
      const failed = ({ message }: Error): void => {
        this.#unwritten ??= `its ${stream} was not written: ${message}`;
      };
      return passOn(child, stream, onOutput, failed);
    });
    // The command may end before it has read the word.
    child.stdio[3]?.on("error", () => {});
    this.ended = new Promise((resolve, reject) => {
      child.once("error", (error) =>
        reject(new CommandError(`/bin/sh cannot be started: ${error.message}`, EXIT.failed)),
      );
      child.once("exit", () => this.#hangUp());
      // Not "exit": a process that it left behind in its group may still print.
      child.once("close", async (code, signal) => {
        this.#isOver = true;
        for (const written of outputs) await written();
        resolve(ending(code, signal, this.#unwritten));
      });
    });
  }

  /** Which process it is; `undefined` if it could not be started. */
  get identity(): ProcessIdentity | undefined {
    return this.#child.pid === undefined ? undefined : identityOf(this.#child.pid);
  }

  /** Gives the word to begin. */
  begin(): void {
    const gate = this.#child.stdio[3];
    if (gate !== null && gate !== undefined && "end" in gate) gate.end("go\n");
  }

  /** Sends a signal to its whole process group. */
  kill(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#isOver) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
    this.#isKilled ||= signal === "SIGKILL";
    this.#hangUp();
  }

  /**
   * A command that was killed may have left a process in another group, which holds its output open. It would
   * hold up the end of the run.
   */
  #hangUp(): void {
    const { exitCode, signalCode, stdout, stderr } = this.#child;
    if (!this.#isKilled || (exitCode === null && signalCode === null)) return;
    // What the command itself has printed is read until then.
    setTimeout(() => [stdout, stderr].forEach((from) => void from?.destroy()), LAST_WORDS).unref();
  }
}

/** The errors of a reader that went away, as `head` does. It has what it wanted. */
const GONE = new Set(["EPIPE", "ECONNRESET", "ERR_STREAM_DESTROYED"]);

/**
 * Passes the output of a command on as fast as the reader takes it, and hands it to `onOutput` too. Returns a
 * function that resolves once all was written, or was not: then `failed` was called, unless the reader went.
 */
function passOn(
  child: ChildProcess,
  stream: "stdout" | "stderr",
  onOutput: (text: string, stream: "stdout" | "stderr") => void,
  failed: (error: Error) => void,
): () => Promise<void> {
  const from = child[stream];
  const to = process[stream];
  // A character may arrive in two pieces.
  const decoder = new TextDecoder();
  // A reader that went away, as `head` does: the next line of the command fails, by SIGPIPE or an error.
  const leave = (): void => void from?.destroy();
  const goOn = (): void => void from?.resume();
  to.on("error", leave).on("drain", goOn);
  from?.on("data", (data: Buffer) => {
    onOutput(decoder.decode(data, { stream: true }), stream);
    if (!to.writable) return;
    const isTaken = to.write(data, (error) => {
      if (error && !GONE.has((error as NodeJS.ErrnoException).code ?? "")) failed(error);
    });
    if (!isTaken) from.pause();
  });
  return async () => {
    // Callbacks come in order, so all others were called.
    await new Promise<void>((resolve) => (to.writable ? to.write("", () => resolve()) : resolve()));
    if (!to.listeners("error").includes(ignore)) to.on("error", ignore);
    // The next attempt has listeners of its own, on the same streams of ours.
    to.off("error", leave).off("drain", goOn);
  };
}

/** The error of the last write may come when the command is over. Without a listener, it would end ojm. */
function ignore(): void {}

function ending(code: number | null, signal: NodeJS.Signals | null, unwritten: string | undefined): Ended {
  // A command that has handed its last output to us ends well, although a full disk did not take it.
  const endedByIt = code === 0 || signal === "SIGPIPE";
  if (unwritten !== undefined && endedByIt) return { code: EXIT.failed, text: unwritten, isUntold: true };
  if (signal !== null) return { code: EXIT.signal + constants.signals[signal], text: `it was ended by ${signal}` };
  if (code === NOT_FOUND) return { code, text: "there is no such command" };
  if (code === NOT_EXECUTABLE) return { code, text: "it cannot be executed" };
  return { code: code ?? EXIT.failed, text: `it ended with exit code ${code}` };
}
