import type { Channel } from "../../../channel/channel.js";
import { recordsUnder } from "../../records/read.js";
import { recordKeyOf } from "../../records/record.js";
import type { RecordRef } from "../../records/time-index.js";
import type { RunRecord } from "../../types.js";
import { addRun, type Cell, cellAt, floorTo, MINUTE } from "../cell.js";

/** What the runs of some minutes did, by name: the cells of those that ended, and those that are open. */
export class Tally {
  readonly cells: Map<string, Map<number, Cell>> = new Map();
  readonly open: Map<string, RecordRef[]> = new Map();

  add(record: RunRecord): void {
    const { name, startTime, status } = record;
    if (status === "running") {
      put(this.open, name, [...(this.open.get(name) ?? []), { name, startTime }]);
      return;
    }
    const minutes = this.cells.get(name) ?? put(this.cells, name, new Map<number, Cell>());
    addRun(cellAt(minutes, floorTo(startTime, MINUTE)), record);
  }

  /** Adds the records under some refs. Skips what was overwritten, or is in the index alone. */
  async addUnder(jobs: Channel<RunRecord>, refs: readonly RecordRef[]): Promise<void> {
    for (const entry of await recordsUnder(jobs, refs.map(recordKeyOf))) if (entry !== undefined) this.add(entry.value);
  }

  /** Forgets what began at this time or later. */
  cut(end: number): void {
    for (const minutes of this.cells.values()) for (const at of minutes.keys()) if (at >= end) minutes.delete(at);
    for (const [name, refs] of this.open)
      this.open.set(
        name,
        refs.filter(({ startTime }) => startTime < end),
      );
  }
}

function put<K, V>(map: Map<K, V>, key: K, value: V): V {
  map.set(key, value);
  return value;
}
