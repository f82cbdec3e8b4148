import { setTimeout as pause } from "node:timers/promises";
import { isChannelError, type JobManager } from "@ojm/core";
import { visible } from "@ojm/core/internal";
import type { SayTime } from "../../../output/times.js";
import { type Coming, comingOf, sayDue } from "../kept.js";

/** A process that makes an attempt begins it soon after it is due, in ms. */
const LATE = 10_000;

/** How often the attempts are read: no watch tells that a process of this machine died. */
const LOOK = 2_000;

/** An attempt that is to come, in words. */
export function sayComing(coming: Omit<Coming, "chain">, say: SayTime): string {
  const { name, attempt, attempts, due, isKept, nobody } = coming;
  const isLate = !nobody && due <= Date.now() - LATE;
  const when = isLate ? `overdue since ${say(due)}: nobody makes it so far` : sayDue(say(due), nobody);
  return `${visible(name)} waits for attempt ${attempt} of ${attempts}, ${when}${isKept ? ", and keeps its lock" : ""}`;
}

/** The attempts that are to come, of one name or of all, for a screen. */
export class LiveComing {
  all: readonly Coming[] = [];
  readonly #manager: JobManager;
  readonly #name: string | undefined;

  constructor(manager: JobManager, name: string | undefined) {
    this.#manager = manager;
    this.#name = name;
  }

  /** Keeps them up to date until the signal fires. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        this.all = await comingOf(this.#manager, this.#name);
      } catch (error) {
        // A store that is away is told of elsewhere.
        if (!isChannelError(error)) throw error;
      }
      await pause(LOOK, undefined, { signal }).catch(() => {});
    }
  }
}
