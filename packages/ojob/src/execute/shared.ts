import type { Clock } from "@ojm/core";
import { SharedGlobals } from "../script/globals.js";
import type { PrepareType } from "./backends.js";
import { ScriptChannels } from "./channels.js";
import { settleAll } from "./close-all.js";
import { JobLocks } from "./locks.js";
import { Managers } from "./managers.js";

/** What all jobs of a process share, also those of job files that run other ones. */
export class Shared {
  readonly clock: Clock;
  readonly managers: Managers;
  readonly channels: ScriptChannels;
  readonly locks: JobLocks;
  readonly globals: SharedGlobals = new SharedGlobals();
  /** What scripts keep by `$set` and `$get`. */
  readonly values: Map<string, unknown> = new Map();

  constructor(prepare: PrepareType, clock: Clock) {
    this.clock = clock;
    this.managers = new Managers(prepare, clock);
    this.channels = new ScriptChannels(this.managers, prepare, clock);
    this.locks = new JobLocks(this.managers, this.channels, clock);
  }

  /** Lets go of locks and channels. */
  async close(): Promise<void> {
    // Each is tried: what one of them cannot let go of must not keep the locks of another.
    await this.locks.close().finally(() => settleAll([this.channels.close(), this.managers.close()]));
  }
}
