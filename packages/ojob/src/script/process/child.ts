import type { ChildProcess, SpawnOptions } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { setTimeout as after } from "node:timers/promises";
import type { Variables } from "../../text/environment.js";
import type { FailureData } from "../protocol.js";
import { closePipes, outputPipes, type Pipe, readPipes } from "./output-pipes.js";

/** How long background processes may still write, and then take to end, in ms. */
const OUTPUT_GRACE = 1_000;
/** The interval of the checks whether the processes of a group are gone, in ms. */
const CHECK_INTERVAL = 10;

export interface Program {
  readonly command: string;
  readonly parameters: readonly string[];
  readonly folder?: string;
  readonly environment?: Variables;
  readonly input?: string;
  /** Data for its file descriptor 3. What the program writes to 4 becomes `result`. */
  readonly message?: string;
}

export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly result: string;
  readonly ended?: FailureData;
  readonly error?: NodeJS.ErrnoException;
}

/** A child process and all that it starts: one process group, which ends as a whole. */
export class ChildGroup {
  readonly #program: Program;
  readonly #grace: number;
  #child: ChildProcess | undefined;
  #processes: ProcessGroup | undefined;
  #isStopped = false;
  #ended: FailureData | undefined;
  /** The group is gone. Its number may belong to another group by now. */
  #over = false;

  constructor(program: Program, grace: number) {
    this.#program = program;
    this.#grace = grace;
  }

  /** Runs the program to its end. Then all output has reached the sink, and only zombies are left. */
  async run(sink: LineSink): Promise<ProgramEnd> {
    const { message, input } = this.#program;
    const pipes = await outputPipes();
    // Import lazily: most job files start no process, and the import takes 3 ms of each start.
    const { spawn } = await import("node:child_process");
    if (this.#isStopped) {
      closePipes(pipes);
      // A program that should end before it starts counts as one that ended at once.
      return { code: null, signal: "SIGTERM", result: "", ...(this.#ended && { ended: this.#ended }) };
    }
    let child: ChildProcess;
    try {
      child = spawn(this.#program.command, this.#program.parameters, optionsFor(this.#program, pipes));
    } catch (error) {
      closePipes(pipes);
      return failedToStart(error as NodeJS.ErrnoException);
    }
    this.#child = child;
    if (child.pid !== undefined) this.#processes = new ProcessGroup(child.pid);
    const exit = exitOf(child);
    give(child.stdin, input);
    give(child.stdio[3] as Writable | null | undefined, message);
    const outputs = (pipes && (await readPipes(pipes))) ?? [child.stdout, child.stderr].filter((one) => one !== null);
    const results = message === undefined ? [] : [child.stdio[4] as Readable];
    let result = "";
    for (const stream of results) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        result += text;
        if (sink.said === undefined || !text.includes("\n")) return;
        const lines = result.split("\n");
        result = lines.pop() ?? "";
        for (const line of lines) sink.said(line);
        stream.pause();
        void sink.room().then(() => stream.resume());
      });
    }
    const streams = [...outputs, ...results].map(closed);
    for (const [index, stream] of outputs.entries())
      forwardLines(stream, (text, last) => sink.line(text, index === 1, last), sink.room);
    const end = await exit;
    if (end.error !== undefined) return failedToStart(end.error);
    await this.#endTheRest(Promise.all(streams));
    this.#over = true;
    for (const stream of [...outputs, ...results]) stream.destroy();
    await Promise.all(streams);
    return { ...end, result, ...(this.#ended && { ended: this.#ended }) };
  }

  stop(): void {
    this.#isStopped = true;
    this.#signal("SIGTERM");
  }

  /** Ends the group: after the grace period; at once at a second request, or if its lock is lost. */
  end(why: FailureData): void {
    this.#ended ??= why;
    if (this.#isStopped || why.name === "RunError") {
      this.#isStopped = true;
      this.#signal("SIGKILL");
      return;
    }
    this.stop();
    setTimeout(() => this.#signal("SIGKILL"), this.#grace).unref();
  }

  /** Ends the background processes of the script, because its lock is about to be released. */
  async #endTheRest(streamsClosed: Promise<unknown>): Promise<void> {
    await Promise.race([streamsClosed, after(OUTPUT_GRACE)]);
    if (!this.#isThere()) {
      // A process that left the group may keep the pipes open for ever. The output of the group itself has
      // been read by now.
      await Promise.race([streamsClosed, after(CHECK_INTERVAL)]);
      return;
    }
    this.#signal("SIGTERM");
    const last = performance.now() + this.#grace;
    while (this.#isThere() && performance.now() < last) await after(CHECK_INTERVAL);
    this.#signal("SIGKILL");
    while (this.#isThere()) await after(CHECK_INTERVAL);
    await Promise.race([streamsClosed, after(CHECK_INTERVAL)]);
  }

  #isThere(): boolean {
    if (!this.#signal(0)) return false;
    this.#over = this.#processes?.hasOnlyZombies ?? false;
    return !this.#over;
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

function optionsFor(program: Program, pipes: readonly Pipe[] | undefined): SpawnOptions {
  const { folder, environment, message, input } = program;
  return {
    detached: true,
    ...(folder !== undefined && { cwd: folder }),
    ...(environment !== undefined && { env: environment }),
    stdio: [
      input === undefined ? "ignore" : "pipe",
      ...(pipes?.map(({ write }) => write) ?? ["pipe" as const, "pipe" as const]),
      ...(message === undefined ? [] : ["pipe" as const, "pipe" as const]),
    ],
  };
}

function failedToStart(error: NodeJS.ErrnoException): ProgramEnd {
  return { code: null, signal: null, result: "", error };
}

function exitOf(child: ChildProcess): Promise<Pick<ProgramEnd, "code" | "signal" | "error">> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    child.once("error", (error) => resolve({ code: null, signal: null, error }));
  });
}

function closed(stream: Readable): Promise<void> {
  return new Promise((resolve) => stream.once("close", resolve));
}

/** A program may ignore its input. That is not a failure. */
function give(stream: Writable | null | undefined, text: string | undefined): void {
  if (!stream || text === undefined) return;
  stream.on("error", () => {});
  stream.end(text);
}

interface LineSink {
  /** Receives lines with their line breaks. `last` is the text after the last line break. */
  line(text: string, toError: boolean, last: boolean): void;
  room(): Promise<void>;
  /** Receives each whole line of file descriptor 4. Without it, they are the result of the program. */
  said?(text: string): void;
}

/** A longer line is passed on in pieces, so that a program without line breaks cannot fill the memory. */
const MAX_LINE = 1 << 16;

/** Passes on whole lines, so that two streams never mix in one. Without room, the program waits. */
function forwardLines(stream: Readable, line: (text: string, last: boolean) => void, room: () => Promise<void>): void {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  stream.on("data", (chunk: Buffer) => {
    rest += decoder.write(chunk);
    const end = rest.lastIndexOf("\n") + 1;
    if (end > 0) line(rest.slice(0, end), false);
    rest = rest.slice(end);
    if (rest.length > MAX_LINE) {
      line(rest, false);
      rest = "";
    }
    stream.pause();
    void room().then(() => stream.resume());
  });
  stream.on("close", () => {
    rest += decoder.end();
    if (rest !== "") line(rest, true);
    rest = "";
  });
}

/** The processes of a group, as `/proc` shows them. */
class ProcessGroup {
  readonly #id: number;
  #living: readonly number[] = [];

  /** `id` is the process id of the first process of the group. */
  constructor(id: number) {
    this.#id = id;
  }

  /**
   * Whether every process of the group is a zombie. A zombie has ended, but it keeps its group until its
   * parent reaps it. As the first process of a container, ojm is the parent of all orphans, but Node reaps
   * only its own children. False also on systems that do not expose this.
   */
  get hasOnlyZombies(): boolean {
    // A scan of all processes of the machine takes long: first check those that were alive last time.
    if (this.#living.some((pid) => this.#stateOf(pid) === "alive")) return false;
    const members = processes().map((pid) => ({ pid, state: this.#stateOf(pid) }));
    this.#living = members.flatMap(({ pid, state }) => (state === "alive" ? [pid] : []));
    return this.#living.length === 0 && members.some(({ state }) => state === "zombie");
  }

  /** `undefined` if the process is gone, or belongs to another group. */
  #stateOf(pid: number): "alive" | "zombie" | undefined {
    const stat = tryRead(() => readFileSync(`/proc/${pid}/stat`, "utf8")) ?? "";
    // The command name stands in parentheses and may hold anything: count the fields from the last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state = "", , group] = fields;
    if (Number(group) !== this.#id) return undefined;
    // The first thread of a process may be a zombie while other threads still run.
    return "ZX".includes(state) && Number(fields[17]) <= 1 ? "zombie" : "alive";
  }
}

/** All processes of this pid namespace. Empty if it has no `/proc`. */
function processes(): number[] {
  if (tryRead(() => readlinkSync("/proc/self")) !== String(process.pid)) return [];
  return (tryRead(() => readdirSync("/proc")) ?? []).flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
}

function tryRead<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
