import type { Clock } from "@ojm/core";
import { askingTypes, type PathsOf, type PrepareType } from "../../plan/manager/channels.js";
import { SharedGlobals } from "../../script/thread.js";
import { JobLocks } from "./locks.js";
import { Managers } from "./managers.js";
import { ScriptChannels, settleAll } from "./script-channels.js";

/** What all jobs of a process share, also across job files that run each other. */
export class Runtime {
  readonly clock: Clock;
  readonly managers: Managers;
  readonly channels: ScriptChannels;
  readonly locks: JobLocks;
  readonly pathsOf: PathsOf;
  readonly globals: SharedGlobals = new SharedGlobals();
  /** The values that scripts keep by `$set` and `$get`. */
  readonly values: Map<string, unknown> = new Map();

  /** What `exit` of a script said first. */
  exitCode: number | undefined;
  /** Stops the whole run. */
  stop: (reason: string) => void = () => {};

  constructor(prepare: PrepareType, clock: Clock) {
    this.clock = clock;
    this.pathsOf = askingTypes(prepare);
    this.managers = new Managers(prepare, clock);
    this.channels = new ScriptChannels(this.managers, prepare, clock);
    this.locks = new JobLocks(this.managers, this.channels, clock);
  }

  /** Ends the run for a script that asks for it. */
  exit(code: number, job: string): void {
    this.exitCode ??= code;
    this.stop(`the script of "${job}" called exit(${code})`);
  }

  /** Releases all locks and closes all channels. */
  async close(): Promise<void> {
    // Try each of them: a failure of one must not keep the locks of another.
    await this.locks.close().finally(() => settleAll([this.channels.close(), this.managers.close()]));
  }
}
