import type { Args } from "../../load/job-file.js";
import type { ScriptStep } from "../../plan/planned.js";
import { ScriptProcess } from "../../script/process/run.js";
import { type CommandLine, ShellCommand, type ShellOptions, type ShellResult } from "../../script/process/shell.js";
import type { FailureData } from "../../script/protocol.js";
import type { ScriptEnd, ScriptThread } from "../../script/thread.js";
import type { ExecutionHost } from "./host.js";
import { ScriptCalls, type ScriptOwner } from "./script-calls.js";

/**
 * The scripts of one execution of a job: JavaScript in a thread, other languages and shell commands in
 * processes.
 */
export class JobScripts {
  readonly #host: ExecutionHost;
  readonly #owner: ScriptOwner;
  readonly #calls: ScriptCalls;
  #thread: ScriptThread | undefined;
  #process: Pick<ScriptProcess, "stop" | "end"> | undefined;

  constructor(host: ExecutionHost, owner: ScriptOwner) {
    this.#host = host;
    this.#owner = owner;
    this.#calls = new ScriptCalls(host, owner);
  }

  /** Runs a script to its end. `exception` is what the script of a `catch` deals with. */
  run(step: ScriptStep, args: Args, exception: FailureData | undefined): Promise<ScriptEnd> {
    return step.lang === undefined ? this.#runInThread(step, args, exception) : this.#runProcess(step, args);
  }

  /** Runs a shell command for a script that waits for it. */
  async shell(command: CommandLine, options: ShellOptions): Promise<ShellResult> {
    const shell = new ShellCommand(command, options, this.#host.grace);
    this.#process = shell;
    try {
      return await shell.run(this.#calls);
    } finally {
      this.#process = undefined;
    }
  }

  /** Asks the script at work to stop. */
  stop(): void {
    this.#thread?.stop();
    this.#process?.stop();
  }

  /** Ends the script at work, whatever it is doing. */
  end(failure: FailureData): void {
    this.#process?.end(failure);
    void this.#thread?.end(failure);
  }

  /** Hands the thread back to the pool. */
  release(): void {
    if (this.#thread !== undefined) this.#host.pool.release(this.#thread);
  }

  #runInThread(step: ScriptStep, args: Args, exception: FailureData | undefined): Promise<ScriptEnd> {
    const { code, module = false } = step;
    const job = { name: this.#owner.name };
    const message = { code: code.code, file: code.source.path, line: code.line, module, args, job };
    return this.#needThread().run({ ...message, ...(exception && { exception }) }, this.#calls);
  }

  async #runProcess({ code, lang = "", folder }: ScriptStep, args: Args): Promise<ScriptEnd> {
    const script = new ScriptProcess({ block: code, lang, folder }, args, this.#host.grace);
    this.#process = script;
    try {
      return await script.run(this.#calls);
    } finally {
      this.#process = undefined;
    }
  }

  /** All scripts of the job share one thread: a step finds what the step before left in it. */
  #needThread(): ScriptThread {
    if (this.#thread?.alive) return this.#thread;
    this.release();
    this.#thread = this.#host.pool.acquire();
    return this.#thread;
  }
}
