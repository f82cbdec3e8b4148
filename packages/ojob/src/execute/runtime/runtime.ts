import type { Clock } from "@ojm/core";
import { askingTypes, type PathsOf, type PrepareType } from "../../plan/manager/channels.js";
import { SharedGlobals } from "../../script/thread.js";
import { QueueStores } from "../queues/queue-stores.js";
import { Director } from "./director.js";
import { JobLocks } from "./locks.js";
import { Managers } from "./managers.js";
import { ScriptChannels } from "./script-channels.js";
import { settleAll } from "./settle.js";

/** State that all jobs of a process share, even across job files that run each other. */
export class Runtime {
  readonly clock: Clock;
  readonly managers: Managers;
  readonly channels: ScriptChannels;
  readonly director: Director;
  readonly locks: JobLocks;
  readonly queues: QueueStores;
  readonly pathsOf: PathsOf;
  readonly globals: SharedGlobals = new SharedGlobals();
  /** The values that scripts store by `$set` and read by `$get`. */
  readonly values: Map<string, unknown> = new Map();

  /** The code of the first `exit` of a script. */
  exitCode: number | undefined;
  stop: (reason: string) => void = () => {};

  constructor(prepare: PrepareType, clock: Clock) {
    this.clock = clock;
    this.pathsOf = askingTypes(prepare);
    this.managers = new Managers(prepare, clock);
    this.channels = new ScriptChannels(this.managers, prepare, clock);
    this.director = new Director(this.managers, this.channels, clock, this.globals);
    this.locks = new JobLocks(this.managers, this.channels, clock);
    this.queues = new QueueStores(this.managers, prepare, clock);
  }

  exit(code: number, job: string): void {
    this.exitCode ??= code;
    this.stop(`the script of "${job}" called exit(${code})`);
  }

  async close(): Promise<void> {
    // Try each of them: a failure of one must not leave the locks of another held.
    const stores = (): Promise<void> => settleAll([this.channels.close(), this.managers.close()]);
    await settleAll([this.locks.close(), this.queues.close()]).finally(stores);
  }
}
