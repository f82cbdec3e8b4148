import { systemClock } from "@ojm/core";
import type { Level } from "../output/log.js";
import type { SharedGlobals } from "../script/globals.js";
import type { ShellOptions } from "../script/process/shell.js";
import type { ScriptHost } from "../script/thread.js";
import type { Engine } from "./engine.js";
import { JobError } from "./error.js";
import type { JobExecution } from "./job.js";

type Call = (calls: ScriptCalls, parameters: readonly unknown[]) => unknown;

const CALLS: Readonly<Record<string, Call>> = {
  room: ({ engine }) => engine.log.room(),
  channel: ({ engine }, [name, verb, parameters]) =>
    engine.shared.channels.call(String(name), String(verb), parameters as unknown[]),
  job: ({ engine, job }, [name, args]) => engine.call(String(name), args as Record<string, unknown>, job),
  launch: ({ engine }, [name, args]) => engine.launch(String(name), [args].flat() as Record<string, unknown>[]),
  each: ({ job }, [item, name]) => job.addItem(item, name as string | undefined),
  unlock: ({ engine, job }, [name]) => unlock(engine, job, String(name)),
  sh: ({ job }, [command, options]) => job.shell(String(command), (options ?? {}) as ShellOptions),
  get: ({ engine }, [key]) => engine.shared.values.get(String(key)),
  set: ({ engine }, [key, value]) => void engine.shared.values.set(String(key), value),
  toYAML: async (_, [value]) => (await import("../load/yaml.js")).toYaml(value),
  fromYAML: async (_, [text]) => (await import("../load/yaml.js")).fromYaml(String(text)),
};

/** Serves the script of one step: what it logs, and the calls in which it waits for us. */
export class ScriptCalls implements ScriptHost {
  readonly engine: Engine;
  readonly job: JobExecution;
  readonly globals: SharedGlobals;

  constructor(engine: Engine, job: JobExecution) {
    this.engine = engine;
    this.job = job;
    this.globals = engine.globals;
  }

  get ahead(): number {
    const { clock } = this.engine.shared;
    return clock === systemClock ? 0 : clock.now() - Date.now();
  }

  async call(name: string, parameters: readonly unknown[]): Promise<unknown> {
    const call = Object.hasOwn(CALLS, name) ? CALLS[name] : undefined;
    if (call === undefined) throw new JobError(`there is no call "${name}"`);
    return call(this, parameters);
  }

  log(level: Level, message: string, time: number): void {
    this.engine.log.scriptLine(level, message, time, this.job.name);
  }

  print(text: string, toError: boolean): void {
    this.engine.log.print(text, toError);
  }
}

/** Says what it did: the lock of a name that nobody holds was not unlocked. */
async function unlock(engine: Engine, job: JobExecution, name: string): Promise<boolean> {
  const manager = await engine.shared.managers.get();
  const { unlocked, holder } = await manager.unlock(name, { reason: `by a script of the job "${job.name}"` });
  const of = holder === undefined ? "" : `, which ${holder.host}, pid ${holder.pid}, held`;
  engine.log.line(unlocked ? "WARN" : "INFO", unlocked ? `unlocked "${name}"${of}` : `nobody holds the lock "${name}"`);
  return unlocked;
}
