import type { Channel } from "../../channel/channel.js";
import type { Locks } from "../../locks/locks.js";
import type { Clock } from "../../util/clock.js";
import type { InFlight } from "../../util/in-flight.js";
import type { Logs } from "../logs/logs.js";
import type { TimeIndex } from "../records/time-index.js";
import type { Run, RunRecord } from "../types.js";
import type { RecordTexts } from "./record-texts.js";
import type { StartTimes } from "./start-times.js";

/** The parts of a manager that a run uses. */
export interface RunContext {
  readonly jobs: Channel<RunRecord>;
  readonly index: TimeIndex;
  readonly locks: Locks;
  readonly logs: Logs;
  /** The channel of the locks. It also has the attempts that are due. */
  readonly lockChannel: Channel<unknown>;
  readonly clock: Clock;
  /** The time to live of a session, in ms. The end of a run is retried for this time at most. */
  readonly ttl: number;
  readonly times: StartTimes;
  readonly texts: RecordTexts;
  /** The ids of the chains whose attempts this process makes. */
  readonly chains: Set<string>;
  /** Counts the runs that are being started: `close` waits until there are none. */
  readonly starting: InFlight;
  /** Fires when these runs are closed: nothing starts any more. */
  readonly closing: AbortSignal;
  /** Ends the waits for locks, of runs that are closed before their manager, which ends all waits. */
  readonly waitUntil?: AbortSignal;
  /** Called when a run is open. */
  onOpen(run: Run): void;
  /** Called when the run has ended, whatever its end. */
  onOver(run: Run): void;
}

/** Whether one commit can write a lock and a record: both channels are in one store. */
export function inOneStore({ jobs, lockChannel }: Pick<RunContext, "jobs" | "lockChannel">): boolean {
  return lockChannel.joins(jobs as Channel<unknown>);
}
