import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { identityOf, type ProcessIdentity } from "@ojm/core/internal";
import { CommandError, EXIT } from "../../errors.js";

/**
 * Waits for a line on file descriptor 3, and then replaces itself with the command. If ojm dies before it
 * writes that line, its end of the pipe closes, and the command never starts.
 */
const GATE = 'IFS= read -r go <&3 || exit 125; exec 3<&-; exec "$@"';

/** The exit codes of the shell for a missing command, and for a file that cannot be executed. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/** How long the output of a command is read after it was killed, in ms. */
const LAST_WORDS = 500;

/** How a command ended. */
export interface Ended {
  /** As a shell reports it: 128 plus the number of the signal that ended it. */
  readonly code: number;
  readonly text: string;
  /** Its exit code or signal. Absent if it did not start, or if its output was lost, which `text` reports. */
  readonly exit?: readonly [code: number | null, signal: string | null];
  /** Whether it was ended because it took too long. */
  readonly isLate?: true;
  /** Whether the command itself printed nothing about it. */
  readonly isUnexplained?: true;
}

/** A command in a process group of its own. It starts only after {@link begin}. */
export class GuardedProcess {
  readonly ended: Promise<Ended>;
  /** Why output could not be written, such as a full disk; `undefined` if all was written. */
  #unwritten: string | undefined;
  readonly #child: ChildProcess;
  #isOver = false;
  #isKilled = false;

  /**
   * `onOutput` is called with the output of the command, which is also passed through. `input`: what the
   * command reads from stdin. Without it, it reads that of ojm.
   */
  constructor(
    [command = "", ...words]: readonly string[],
    env: NodeJS.ProcessEnv,
    onOutput: (text: string, stream: "stdout" | "stderr") => void,
    input?: string,
  ) {
    const child = spawn("/bin/sh", ["-c", GATE, "sh", command, ...words], {
      detached: true,
      env,
      stdio: [input === undefined ? "inherit" : "pipe", "pipe", "pipe", "pipe"],
    });
    this.#child = child;
    // A command may end without reading its input.
    child.stdin?.on("error", () => {}).end(input);
    const outputs = (["stdout", "stderr"] as const).map((stream) => {
      const failed = ({ message }: Error): void => {
        this.#unwritten ??= `its ${stream} was not written: ${message}`;
      };
      return passOn(child, stream, onOutput, failed);
    });
    // The process may end before it has read the line.
    child.stdio[3]?.on("error", () => {});
    this.ended = new Promise((resolve, reject) => {
      child.once("error", (error) =>
        reject(new CommandError(`/bin/sh cannot be started: ${error.message}`, EXIT.failed)),
      );
      child.once("exit", () => this.#hangUp());
      // Not "exit": a process that the command left behind in its group may still print.
      child.once("close", async (code, signal) => {
        this.#isOver = true;
        for (const written of outputs) await written();
        resolve(ending(code, signal, this.#unwritten));
      });
    });
  }

  /** Its process; `undefined` if it could not be started. */
  get identity(): ProcessIdentity | undefined {
    return this.#child.pid === undefined ? undefined : identityOf(this.#child.pid);
  }

  /** Writes the line that lets the command start. */
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
   * A killed command may have left a process in another group that holds its output open. This keeps that
   * process from delaying the end of the run.
   */
  #hangUp(): void {
    const { exitCode, signalCode, stdout, stderr } = this.#child;
    if (!this.#isKilled || (exitCode === null && signalCode === null)) return;
    // Until then, the output of the command itself is still read.
    setTimeout(() => [stdout, stderr].forEach((from) => void from?.destroy()), LAST_WORDS).unref();
  }
}

/** The errors of a reader that closed its end, as `head` does. It has what it needs. */
const GONE = new Set(["EPIPE", "ECONNRESET", "ERR_STREAM_DESTROYED"]);

/**
 * Passes the output of a command through as fast as the reader takes it, and also to `onOutput`. Returns a
 * function that resolves once all output was written or lost. `failed` is called for lost output, unless the
 * reader closed its end.
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
  // The reader closed its end, as `head` does: the next line of the command fails, by SIGPIPE or an error.
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
    // Callbacks come in order: this one comes after all others.
    await new Promise<void>((resolve) => (to.writable ? to.write("", () => resolve()) : resolve()));
    if (!to.listeners("error").includes(ignore)) to.on("error", ignore);
    // The next attempt has listeners of its own on these streams.
    to.off("error", leave).off("drain", goOn);
  };
}

/** Hears the error of the last write after the end of the command: unheard, it would end ojm. */
function ignore(): void {}

function ending(code: number | null, signal: NodeJS.Signals | null, unwritten: string | undefined): Ended {
  // A command that handed its last output to us exits with 0, even if a full disk did not take that output.
  const endedByIt = code === 0 || signal === "SIGPIPE";
  if (unwritten !== undefined && endedByIt) return { code: EXIT.failed, text: unwritten, isUnexplained: true };
  const exit = [code, signal] as const;
  if (signal !== null)
    return { code: EXIT.signal + constants.signals[signal], text: `it was ended by ${signal}`, exit };
  if (code === NOT_FOUND) return { code, text: "there is no such command" };
  if (code === NOT_EXECUTABLE) return { code, text: "it cannot be executed" };
  return { code: code ?? EXIT.failed, text: `it ended with exit code ${code}`, exit };
}
