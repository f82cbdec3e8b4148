import { systemClock } from "@ojm/core/backend";
import { DIRECTOR_CHECK } from "../../load/builtin.js";
import type { Args } from "../../load/job-file.js";
import type { JobProgress } from "../../output/live-lines.js";
import type { Level } from "../../output/log.js";
import type { ScriptStep } from "../../plan/planned.js";
import { missingFolder, ScriptProcess } from "../../script/process/script-process.js";
import { type CommandLine, ShellCommand, type ShellOptions, type ShellResult } from "../../script/process/shell.js";
import type { FailureData } from "../../script/protocol.js";
import type { ScriptEnd, ScriptHost, ScriptThread, SharedGlobals } from "../../script/thread.js";
import type { MaskedStream } from "../../text/masker.js";
import type { JobOutcome } from "../dispatch/requests.js";
import type { Engine, Execution } from "../engine.js";
import type { ScriptContext } from "../execution.js";
import { queueCall } from "../queues/queue-jobs.js";
import { JobError } from "../runtime/job-error.js";

/** The scripts of one execution, in a thread or in processes. Serves their calls and log lines. */
export class JobScripts implements ScriptHost {
  readonly execution: Execution;
  readonly engine: Engine;
  readonly globals: SharedGlobals;
  /** The output of the script without secrets, even if a secret arrives in two pieces. */
  readonly #output: MaskedStream;
  readonly #errors: MaskedStream;
  #thread: ScriptThread | undefined;
  #process: Pick<ScriptProcess, "stop" | "end"> | undefined;
  #command: Promise<unknown> = Promise.resolve();

  constructor(execution: Execution) {
    const { engine } = execution;
    this.execution = execution;
    this.engine = engine;
    this.globals = engine.runtime.globals;
    this.#output = engine.log.masking();
    this.#errors = engine.log.masking();
  }

  /** Starts a script, and resolves to its end. Call {@link settle} then. `exception` is for a `catch`. */
  start(step: ScriptStep, args: Args, context: ScriptContext, exception: FailureData | undefined): Promise<ScriptEnd> {
    const { environment, folder } = context;
    const { code, lang, module = false, noTemplate, shell, shellPrefix } = step;
    const { name } = this.execution.job;
    if (lang !== undefined) {
      const shown = { noTemplate, shell, shellPrefix };
      const foreign = { block: code, lang, job: name, folder, variables: environment.all, ...shown };
      const script = new ScriptProcess(foreign, args, this.engine.grace);
      this.#process = script;
      return script.run(this);
    }
    const missing = missingFolder(folder, code);
    if (missing !== undefined) return Promise.resolve({ args, failure: missing });
    const job = { name, pwd: folder ?? process.cwd() };
    const message = { code: code.code, file: code.source.path, line: code.line, module, args, job };
    const more = { variables: environment.added, ...(exception && { exception }) };
    return this.#needThread().run({ ...message, ...more }, this);
  }

  /** Resolves once nothing of the ended script runs, and all of its output is shown. */
  async settle(): Promise<void> {
    // An ended script leaves its command, which must be over before the next step or holder of the lock.
    await this.#command;
    this.#process = undefined;
    this.execution.output.print(this.#output.end());
    this.execution.output.print(this.#errors.end(), true);
  }

  async shell(command: CommandLine, options: ShellOptions): Promise<ShellResult> {
    const { folder, environment } = this.execution.place;
    const shell = new ShellCommand(command, options, { folder, variables: environment.all }, this.engine.grace);
    this.#process = shell;
    const running = shell.run(this);
    this.#command = running.catch(() => {});
    try {
      return await running;
    } finally {
      this.#process = undefined;
    }
  }

  stop(): void {
    this.#thread?.stop();
    this.#process?.stop();
  }

  end(failure: FailureData): void {
    this.#process?.end(failure);
    void this.#thread?.end(failure);
  }

  release(): void {
    if (this.#thread !== undefined) this.engine.pool.release(this.#thread);
  }

  /** All scripts of the job share one thread: a step finds the state that the previous step left in it. */
  #needThread(): ScriptThread {
    if (this.#thread?.alive) return this.#thread;
    this.release();
    this.#thread = this.engine.pool.acquire();
    return this.#thread;
  }

  get ahead(): number {
    const { clock } = this.engine.runtime;
    return clock === systemClock ? 0 : clock.now() - Date.now();
  }

  async call(name: string, parameters: readonly unknown[]): Promise<unknown> {
    const call = Object.hasOwn(CALLS, name) ? CALLS[name] : undefined;
    if (call === undefined) throw new JobError(`there is no call "${name}"`);
    return call(this, parameters);
  }

  log(level: Level, message: string, time: number): void {
    // A script may replace Date.now, and a time that is no date would end the process.
    const isDate = !Number.isNaN(new Date(time).getTime());
    this.execution.output.scriptLine(level, message, isDate ? time : this.engine.log.now());
  }

  print(text: string, toError: boolean): void {
    this.execution.output.print((toError ? this.#errors : this.#output).write(text), toError);
  }

  progress(progress: JobProgress): void {
    this.execution.output.progress(progress);
  }
}

type Call = (scripts: JobScripts, parameters: readonly unknown[]) => unknown;

const CALLS: Readonly<Record<string, Call>> = {
  room: ({ engine }) => engine.log.room(),
  channel: ({ engine }, [name, verb, parameters]) =>
    engine.runtime.channels.call(String(name), String(verb), parameters as unknown[]),
  job: async ({ engine, execution }, [name, args]) => {
    const given = args as Record<string, unknown>;
    const { builtin } = engine.job(String(name));
    // To a script, it returns the entry.
    if (builtin === DIRECTOR_CHECK) return engine.runtime.director.find({ ...engine.commandLine, ...given });
    const outcome = await engine.call(String(name), given, execution);
    // The work of a whole job is done elsewhere: that is no failure of its caller.
    if (outcome.status === "skipped" && outcome.done === true && builtin === undefined) {
      engine.jobSkipped(String(name), outcome.reason);
      return given;
    }
    return argsOf(String(name), outcome);
  },
  launch: ({ engine }, [name, args]) => engine.launch(String(name), [args].flat() as Record<string, unknown>[]),
  each: ({ execution }, [item, name]) => execution.addItem(item, name as string | undefined),
  unlock: ({ execution }, [name]) => unlock(execution, String(name)),
  lock: ({ execution }, [name, wait, timeout]) => lock(execution, String(name), Number(wait), timeout),
  isLocked: ({ engine }, [name]) => engine.runtime.channels.lock(String(name)),
  extendLock: ({ execution }, [name, timeout]) => extend(execution, String(name), Number(timeout)),
  openRuns: ({ engine }) => engine.runtime.channels.openRuns(),
  queue: ({ execution }, [verb, parameters]) => queueCall(execution, String(verb), parameters as unknown[]),
  sh: (scripts, [command, options]) => scripts.shell(command as CommandLine, (options ?? {}) as ShellOptions),
  exit: ({ engine, execution }, [code]) => engine.runtime.exit(Number(code), execution.job.name),
  get: ({ engine }, [key]) => engine.runtime.values.get(String(key)),
  set: ({ engine }, [key, value]) => void engine.runtime.values.set(String(key), value),
  toYAML: async (_, [value]) => (await import("../../load/yaml/yaml.js")).toYaml(value),
  parseData: async (_, [text]) => (await import("../../script/javascript.js")).parseData(String(text)),
  fromYAML: async (_, [text]) => (await import("../../load/yaml/yaml.js")).fromYaml(String(text)),
};

function argsOf(name: string, outcome: JobOutcome): Args {
  if (outcome.status === "completed") return outcome.args;
  if (outcome.status === "failed") throw outcome.error;
  throw new JobError(`"${name}" was skipped: ${outcome.reason}`);
}

/** Takes a lock, and holds it until the job ends, or a script unlocks it. Returns whether it has the lock. */
async function lock(execution: Execution, name: string, wait: number, timeout: unknown): Promise<boolean> {
  const { locks, signal, engine } = execution;
  const { runtime } = engine;
  const has = await locks.takeFor(name, runtime.locks, { wait, signal });
  if (has && timeout !== undefined && timeout !== null) locks.limit(name, Number(timeout), runtime.clock);
  return has;
}

async function extend({ engine, locks }: Execution, name: string, timeout: number): Promise<unknown> {
  const { runtime } = engine;
  if (!locks.limit(name, timeout, runtime.clock)) {
    throw new JobError(
      `the timeout of the lock "${name}" cannot be extended: no script of this job took it by jobLocks.lock. Give the job a longer "timeout" in its args.`,
    );
  }
  return { ...(await runtime.channels.lock(name)), timeout: runtime.clock.now() + timeout };
}

/** Unlocks a name and logs what happened, even if the lock is free. */
async function unlock({ engine, job, locks, output }: Execution, name: string): Promise<boolean> {
  if (await locks.give(name)) return true;
  const manager = await engine.runtime.managers.get();
  const { unlocked, holder } = await manager.unlock(name, { reason: `by a script of the job "${job.name}"` });
  const of = holder === undefined ? "" : `, which ${holder.host}, pid ${holder.pid}, held`;
  output.line(unlocked ? "WARN" : "INFO", unlocked ? `unlocked "${name}"${of}` : `the lock "${name}" is free`);
  return unlocked;
}
