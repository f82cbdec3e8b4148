import type { ChildProcess } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { FailureData } from "../protocol.js";
import { forwardLines, type LineSink } from "./lines.js";

/** How long what a script left running in the background may still write, and then has to end, in ms. */
const LEFT_BEHIND = 1_000;
/** How often to look whether the processes of a group are gone, in ms. */
const LOOK = 10;

/** A program to run. */
export interface Program {
  readonly command: string;
  readonly parameters: readonly string[];
  readonly folder?: string;
  readonly environment?: NodeJS.ProcessEnv;
  /** Written to its standard input. */
  readonly input?: string;
  /** Written to its file descriptor 3; what it writes to 4 is handed back as `result`. */
  readonly message?: string;
}

/** How a program ended. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly result: string;
  /** Why it was ended by us. */
  readonly ended?: FailureData;
  /** It could not be started. */
  readonly error?: NodeJS.ErrnoException;
}

/**
 * A child process with all that it starts: they are one process group, which is ended as a whole. Otherwise `sh` would end and
 * what it has called go on, without the lock.
 */
export class ChildGroup {
  readonly #program: Program;
  readonly #grace: number;
  #child: ChildProcess | undefined;
  #told = false;
  #ended: FailureData | undefined;
  /** Nothing of the group is left. Its number may be another group's by now. */
  #over = false;

  /** `grace`: how long the group has, in ms, after it was told to end. */
  constructor(program: Program, grace: number) {
    this.#program = program;
    this.#grace = grace;
  }

  /** Runs the program to its end. All that it wrote has reached the sink then, and nothing of it is left. */
  async run(sink: LineSink): Promise<ProgramEnd> {
    const { command, parameters, folder, environment, message, input } = this.#program;
    const withMessage = message !== undefined;
    // Loaded only now: most job files start no process, and the module takes 3 ms of each start.
    const { spawn } = await import("node:child_process");
    if (this.#told) return this.#neverStarted();
    let child: ChildProcess;
    try {
      child = spawn(command, parameters, {
        detached: true,
        ...(folder !== undefined && { cwd: folder }),
        ...(environment !== undefined && { env: environment }),
        stdio: [
          input === undefined ? "ignore" : "pipe",
          "pipe",
          "pipe",
          ...(withMessage ? ["pipe" as const, "pipe" as const] : []),
        ],
      });
    } catch (error) {
      return failedToStart(error as NodeJS.ErrnoException);
    }
    this.#child = child;
    const exit = exitOf(child);
    give(child.stdin, input);
    give(child.stdio[3] as Writable | null | undefined, message);
    const outputs = [child.stdout, child.stderr].filter((stream) => stream !== null);
    const results = withMessage ? [child.stdio[4] as Readable] : [];
    let result = "";
    for (const stream of results) stream.setEncoding("utf8").on("data", (text: string) => (result += text));
    const streams = [...outputs, ...results].map(closed);
    if (child.stdout) forwardLines(child.stdout, (text, last) => sink.line(text, false, last), sink.room);
    if (child.stderr) forwardLines(child.stderr, (text, last) => sink.line(text, true, last), sink.room);
    const end = await exit;
    if (end.error !== undefined) return failedToStart(end.error);
    await this.#endTheRest(Promise.all(streams));
    this.#over = true;
    for (const stream of [...outputs, ...results]) stream.destroy();
    await Promise.all(streams);
    return { ...end, result, ...(this.#ended && { ended: this.#ended }) };
  }

  /** Asked to end while it was about to start: it ends as one that was told at once would, and has done nothing. */
  #neverStarted(): ProgramEnd {
    return { code: null, signal: "SIGTERM", result: "", ...(this.#ended && { ended: this.#ended }) };
  }

  /** Asks the group to end. */
  stop(): void {
    this.#told = true;
    this.#signal("SIGTERM");
  }

  /** Ends the group: at once if it was asked to before, or if its lock is gone to somebody else; if not, after the grace. */
  end(why: FailureData): void {
    this.#ended ??= why;
    if (this.#told || why.name === "RunError") {
      this.#told = true;
      this.#signal("SIGKILL");
      return;
    }
    this.stop();
    setTimeout(() => this.#signal("SIGKILL"), this.#grace).unref();
  }

  /** What the script left running in the background does not outlive it: its lock is about to be released. */
  async #endTheRest(streamsClosed: Promise<unknown>): Promise<void> {
    await Promise.race([streamsClosed, after(LEFT_BEHIND)]);
    if (!this.#isThere()) {
      // Somebody who left the group may hold the pipes for ever; what the group itself wrote is read by now.
      await Promise.race([streamsClosed, after(LOOK)]);
      return;
    }
    this.#signal("SIGTERM");
    const last = performance.now() + this.#grace;
    while (this.#isThere() && performance.now() < last) await after(LOOK);
    this.#signal("SIGKILL");
    while (this.#isThere()) await after(LOOK);
    await Promise.race([streamsClosed, after(LOOK)]);
  }

  #isThere(): boolean {
    return this.#signal(0);
  }

  #signal(signal: NodeJS.Signals | 0): boolean {
    const pid = this.#child?.pid;
    if (pid === undefined || this.#over) return false;
    try {
      return process.kill(-pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ESRCH") this.#over = true;
      return false;
    }
  }
}

function failedToStart(error: NodeJS.ErrnoException): ProgramEnd {
  return { code: null, signal: null, result: "", error };
}

type Exit = Pick<ProgramEnd, "code" | "signal" | "error">;

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    child.once("error", (error) => resolve({ code: null, signal: null, error }));
  });
}

function closed(stream: Readable): Promise<void> {
  return new Promise((resolve) => stream.once("close", resolve));
}

/** A program that does not read what it is given is no fault. */
function give(stream: Writable | null | undefined, text: string | undefined): void {
  if (!stream || text === undefined) return;
  stream.on("error", () => {});
  stream.end(text);
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
