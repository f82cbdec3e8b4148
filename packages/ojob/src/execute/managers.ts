import { type Clock, JobManager, type JobManagerOptions } from "@ojm/core";
import { nearest } from "@ojm/core/backend";
import type { PrepareType } from "./backends.js";
import { JobError } from "./error.js";

const OPTIONS = ["chJobs", "chLocks"] as const;

/** The job manager of a job file: opened by Init, or by the first job that needs it. */
export class Managers {
  readonly #prepare: PrepareType;
  readonly #clock: Clock;
  #opening: Promise<JobManager> | undefined;
  #config: string | undefined;
  #failed = false;

  constructor(prepare: PrepareType, clock: Clock) {
    this.#prepare = prepare;
    this.#clock = clock;
  }

  /** Opens the manager on the channels that the arguments name. */
  init(args: Readonly<Record<string, unknown>>): Promise<JobManager> {
    const options = managerOptions(args);
    const config = JSON.stringify(options);
    if (this.#opening !== undefined && !this.#failed) {
      if (config === this.#config) return this.#opening;
      // Silently staying on the first channels would run jobs under locks that nobody else looks at.
      throw new JobError("oJobManager is initialised already, on other channels. Call oJobManager Init once.");
    }
    this.#config = config;
    this.#failed = false;
    this.#opening = this.#open(options);
    return this.#opening;
  }

  /**
   * The manager; on channels in memory if there was no Init. After an Init that failed it keeps failing: a job must not
   * run under a lock that is not the one it was meant to take.
   */
  async get(): Promise<JobManager> {
    try {
      return await (this.#opening ?? this.init({}));
    } catch (error) {
      // An error of its own for each job that it keeps from running: each says so.
      throw new JobError((error as Error).message, { cause: error });
    }
  }

  async close(): Promise<void> {
    const manager = await this.#opening?.catch(() => undefined);
    await manager?.close();
  }

  async #open(options: JobManagerOptions): Promise<JobManager> {
    try {
      for (const { type = "simple" } of [options.chJobs ?? {}, options.chLocks ?? {}]) await this.#prepare(type);
      // Scripts run in threads of their own: the main thread is free for heartbeats.
      return await JobManager.init({ ...options, clock: this.#clock, heartbeatThread: false });
    } catch (error) {
      this.#failed = true;
      throw new JobError(`oJobManager Init failed: ${(error as Error).message}`, { cause: error });
    }
  }
}

/** The options of the manager out of the arguments of an Init job, of which others may be meant for somebody else. */
export function managerOptions(args: Readonly<Record<string, unknown>>): JobManagerOptions {
  for (const name of Object.keys(args)) {
    const near = OPTIONS.some((option) => option === name) ? undefined : nearest(name, OPTIONS);
    if (near !== undefined) throw new JobError(`oJobManager Init has no argument "${name}". Did you mean "${near}"?`);
  }
  const options: Record<string, object> = {};
  for (const name of OPTIONS) {
    const config = args[name];
    if (config === undefined || config === null) continue;
    options[name] = channelConfig(name, config);
  }
  return options;
}

function channelConfig(name: string, config: unknown): object {
  const { type, args, ...rest } = config as Record<string, unknown>;
  const isMap = typeof config === "object" && !Array.isArray(config);
  const extra = isMap ? Object.keys(rest)[0] : undefined;
  if (extra !== undefined) throw new JobError(`"${name}" has "type" and "args", but no "${extra}".`);
  if (!isMap || (type !== undefined && typeof type !== "string") || (args !== undefined && typeof args !== "object")) {
    throw new JobError(`"${name}" must be a map with "type" and "args", like {type: db, args: {file: ./jobs.db}}.`);
  }
  return { ...(typeof type === "string" && { type }), ...(args !== undefined && args !== null && { args }) };
}
