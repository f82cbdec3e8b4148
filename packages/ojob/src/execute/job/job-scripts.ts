import type { Args } from "../../load/job-file.js";
import type { ScriptStep } from "../../plan/planned.js";
import { missingFolder, ScriptProcess } from "../../script/process/run.js";
import { type CommandLine, ShellCommand, type ShellOptions, type ShellResult } from "../../script/process/shell.js";
import type { FailureData } from "../../script/protocol.js";
import type { ScriptEnd, ScriptThread } from "../../script/thread.js";
import type { ExecutionHost } from "./host.js";
import { ScriptCalls, type ScriptOwner } from "./script-calls.js";
import type { ScriptContext } from "./step/context.js";

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
  /** Settles when the last shell command of a script is over. */
  #command: Promise<void> = Promise.resolve();

  constructor(host: ExecutionHost, owner: ScriptOwner) {
    this.#host = host;
    this.#owner = owner;
    this.#calls = new ScriptCalls(host, owner);
  }

  /** Runs a script to its end. `exception` is what the script of a `catch` deals with. */
  async run(
    step: ScriptStep,
    args: Args,
    context: ScriptContext,
    exception: FailureData | undefined,
  ): Promise<ScriptEnd> {
    try {
      return await (step.lang === undefined
        ? this.#runInThread(step, args, context, exception)
        : this.#runProcess(step, args, context));
    } finally {
      // A script that is ended does not wait for its command. The next step, or the next holder of the lock,
      // must not meet it.
      await this.#command;
      this.#calls.flush();
    }
  }

  /** Runs a shell command for a script that waits for it. */
  async shell(command: CommandLine, options: ShellOptions, context: ScriptContext): Promise<ShellResult> {
    const place = { folder: context.folder, variables: context.environment.all };
    const shell = new ShellCommand(command, options, place, this.#host.grace);
    this.#process = shell;
    const running = shell.run(this.#calls);
    this.#command = running.then(
      () => {},
      () => {},
    );
    try {
      return await running;
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

  async #runInThread(
    step: ScriptStep,
    args: Args,
    { environment, folder }: ScriptContext,
    exception: FailureData | undefined,
  ): Promise<ScriptEnd> {
    const { code, module = false } = step;
    const missing = missingFolder(folder, code);
    if (missing !== undefined) return { args, failure: missing };
    const job = { name: this.#owner.name, pwd: folder ?? process.cwd() };
    const message = { code: code.code, file: code.source.path, line: code.line, module, args, job };
    const more = { variables: environment.added, ...(exception && { exception }) };
    return this.#needThread().run({ ...message, ...more }, this.#calls);
  }

  async #runProcess(step: ScriptStep, args: Args, { environment, folder }: ScriptContext): Promise<ScriptEnd> {
    const { code, lang = "", noTemplate, shell, shellPrefix } = step;
    const shown = { noTemplate, shell, shellPrefix };
    const foreign = { block: code, lang, job: this.#owner.name, folder, variables: environment.all, ...shown };
    const script = new ScriptProcess(foreign, args, this.#host.grace);
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
