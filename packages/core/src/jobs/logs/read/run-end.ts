import type { Channel } from "../../../channel/channel.js";
import type { Clock } from "../../../util/clock.js";
import { isRecord, recordUnder } from "../../records/read.js";
import { recordKey } from "../../records/record.js";
import type { RunRef } from "../../run-id.js";
import type { RunRecord } from "../../types.js";

/** The pause before the next look at a record, where the store is away or has no watch, in ms. */
const PAUSE = 1_000;

/** The parts of a reader that learn of the end of a run. */
interface Source {
  readonly jobs: Channel<RunRecord>;
  readonly clock: Clock;
}

/** Calls `onEnd` once the record of a run is closed or gone. Call the result to stop. */
export function whenRunEnded(source: Source, run: RunRef, onEnd: (endTime: number | undefined) => void): () => void {
  const { jobs, clock } = source;
  const key = recordKey(run.name, run.startTime);
  let isOver = false;
  let cancel = (): void => {};
  let stopWatch = (): void => {};
  const stop = (): void => {
    isOver = true;
    cancel();
    stopWatch();
  };
  const see = (record: RunRecord | undefined): void => {
    if (isOver || record?.status === "running") return;
    stop();
    onEnd(record?.endTime);
  };
  const look = async (): Promise<void> => {
    cancel();
    try {
      see((await recordUnder(jobs, key))?.value);
      if (jobs.supports.watch) return;
    } catch {
      // The store is away: look again.
    }
    if (!isOver) cancel = clock.after(PAUSE, () => void look());
  };
  if (jobs.supports.watch) {
    const watch = jobs.watchKey(key, {
      changed: (change) => {
        const value = change.value();
        if (change.deleted || (value !== undefined && isRecord({ key, value }))) see(value);
      },
      gap: () => void look(),
      failed: () => void look(),
    });
    stopWatch = () => watch.stop();
    watch.ready.then(look, look);
  } else void look();
  return stop;
}
