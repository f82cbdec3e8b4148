import { once } from "node:events";
import { existsSync } from "node:fs";
import {
  type ChannelConfig,
  type Clock,
  type JobManager,
  type JobManagerOptions,
  openChannel,
  openJobManager,
} from "@ojm/core";
import { channelsAnswer } from "@ojm/core/internal";
import { askingTypes, type PrepareType } from "../../plan/manager/channels.js";
import { JOB_INIT, managerOptions, unfilledChannel, wrongManagerArgs } from "../../plan/manager/manager-args.js";
import { Openers } from "../../plan/manager/openers.js";
import type { Plan } from "../../plan/planned.js";
import { type Position, place } from "../../text/problem.js";
import { JobError } from "./job-error.js";
import type { Notifier } from "./notifier.js";
import { settleAll } from "./settle.js";

/** Whether a channel is in a store, and not in the memory of the process. */
export function isLasting({ type = "simple" }: ChannelConfig = {}): boolean {
  return type !== "simple";
}

/** A store that does not answer within this time counts as unreachable, in ms. */
const ANSWER_TIMEOUT = 2_000;

/** The job manager of a job file. Init opens it, or the first job that needs it. */
export class Managers {
  /** Opened with the manager, and closed before it. */
  notifier: Notifier | undefined;
  readonly #prepare: PrepareType;
  readonly #clock: Clock;
  /** Managers of other stores, by their configs. */
  readonly #others = new Map<string, Promise<JobManager>>();
  #opening: Promise<JobManager> | undefined;
  #config: string | undefined;
  #locks: ChannelConfig | undefined;
  /** Whether the last Init failed: no managed job can run. */
  failed = false;
  /** Whether its locks are in a store that other processes share, or in the memory of this one. */
  isLasting = false;
  /** Where a job file names a store. */
  #store: Position | undefined;

  constructor(prepare: PrepareType, clock: Clock) {
    this.#prepare = prepare;
    this.#clock = clock;
  }

  /** Prepares for a file. If it names a store, no lock is taken in memory before Init has opened it. */
  expect(plan: Plan): void {
    this.#store ??= new Openers(plan).store?.at;
  }

  init(args: Readonly<Record<string, unknown>>): Promise<JobManager> {
    const wrong = wrongManagerArgs(args);
    const fault = wrong.length > 0 ? wrong.map(({ message }) => message).join(" ") : unfilledChannel(args);
    if (fault !== undefined) return this.#refuse(fault);
    const options = managerOptions(args);
    const config = JSON.stringify(options);
    if (this.#opening !== undefined && !this.failed) {
      if (config === this.#config) return this.#opening;
      // Keeping the first channels would run jobs under locks that no other process checks.
      throw new JobError("oJobManager is initialised already, on other channels. Call oJobManager Init once.");
    }
    this.#config = config;
    this.isLasting = isLasting(options.chLocks);
    this.failed = false;
    this.#opening = this.#open(options);
    return this.#opening;
  }

  /** The manager; without an Init, in memory. After a failed Init it fails: no other lock protects. */
  async get(): Promise<JobManager> {
    if (this.#opening === undefined && this.#store !== undefined) {
      throw new JobError(
        `${JOB_INIT} has not run, and the locks are in the store that ${place(this.#store)} names. Let the job that opens it run first.`,
      );
    }
    try {
      return await (this.#opening ?? this.init({}));
    } catch (error) {
      // Each job that cannot run gets an error of its own, so each one shows it.
      throw new JobError((error as Error).message, { cause: error });
    }
  }

  /** The manager if it was opened; `undefined` if no job has called Init. */
  async opened(): Promise<JobManager | undefined> {
    return this.#opening === undefined && this.#store === undefined ? undefined : this.get();
  }

  /** The store of the locks; `undefined` if the file has none. */
  async lockStore(): Promise<ChannelConfig | undefined> {
    return (await this.opened()) && this.#locks;
  }

  /** The manager whose records and locks are in this store. It is opened once, and closed with this. */
  inStore(store: ChannelConfig): Promise<JobManager> {
    const key = JSON.stringify(store);
    const options = { chJobs: store, chLocks: store, clock: this.#clock, heartbeatThread: false };
    const opening = this.#others.get(key) ?? openJobManager(options);
    this.#others.set(key, opening);
    opening.catch(() => this.#others.delete(key));
    return opening;
  }

  async answers(): Promise<boolean> {
    if (this.#opening === undefined) return true;
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT);
    const late = once(signal, "abort").then(() => undefined);
    try {
      const channels = (await Promise.race([this.#opening, late]))?.channels;
      return channels !== undefined && (await channelsAnswer([channels.locks, channels.jobs], signal));
    } catch {
      return false;
    }
  }

  async close(): Promise<void> {
    const managers = [...this.#others.values(), this.#opening].map((one) => one?.catch(() => undefined));
    try {
      await this.notifier?.close();
    } finally {
      // The grace period of the jobs is over.
      await settleAll(managers.map(async (manager) => (await manager)?.close({ grace: 0 })));
    }
  }

  /** Makes all jobs that need the manager fail. A plain error gets the place of the step. */
  #refuse(message: string): Promise<JobManager> {
    const refused = Promise.reject<JobManager>(new Error(message));
    refused.catch(() => {});
    if (this.#opening === undefined || this.failed) {
      this.#opening = refused;
      this.failed = true;
    }
    return refused;
  }

  async #open(options: JobManagerOptions): Promise<JobManager> {
    this.#locks = options.chLocks as ChannelConfig | undefined;
    try {
      const { chJobs = {}, chLocks = {}, chLogs = chJobs } = options;
      for (const { type = "simple" } of [chJobs, chLocks, chLogs]) await this.#prepare(type);
      // Scripts run in threads of their own, so the main thread is free for heartbeats.
      const manager = await openJobManager({ ...options, clock: this.#clock, heartbeatThread: false });
      try {
        await this.#makeLogs(options.chLogs);
        await this.notifier?.open(manager);
      } catch (error) {
        await manager.close();
        throw error;
      }
      return manager;
    } catch (error) {
      this.failed = true;
      throw new JobError(`oJobManager Init failed: ${(error as Error).message}`, { cause: error });
    }
  }

  /** Creates the log files before the first line: a reader would report a store without them as missing. */
  async #makeLogs({ type = "simple", args = {} }: ChannelConfig = {}): Promise<void> {
    for (const option of await askingTypes(this.#prepare)(type)) {
      const path = args[option];
      if (typeof path !== "string" || existsSync(path)) continue;
      // A log store that cannot be opened does not stop a job. The first log line warns.
      await openChannel("oJobManager-logs", { type, args }).then(
        (logs) => logs.close(),
        () => {},
      );
      return;
    }
  }
}
