import type { Channel } from "../../../channel/channel.js";
import type { Entry } from "../../../channel/types.js";
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

  /** Adds the records under some refs. */
  async addUnder(jobs: Channel<RunRecord>, refs: readonly RecordRef[]): Promise<void> {
    this.addAll(await recordsUnder(jobs, refs.map(recordKeyOf)));
  }

  /** Adds records. Skips what was overwritten, or is in the index alone. */
  addAll(entries: readonly (Entry<RunRecord> | undefined)[]): void {
    for (const entry of entries) if (entry !== undefined) this.add(entry.value);
  }

  /** Takes out what began at this time or later, the begin of a minute. */
  splitAt(time: number): Tally {
    const rest = new Tally();
    for (const [name, minutes] of this.cells) {
      for (const [at, cell] of minutes) {
        if (at < time) continue;
        minutes.delete(at);
        (rest.cells.get(name) ?? put(rest.cells, name, new Map<number, Cell>())).set(at, cell);
      }
    }
    for (const [name, refs] of this.open) {
      const later = refs.filter(({ startTime }) => startTime >= time);
      if (later.length === 0) continue;
      this.open.set(
        name,
        refs.filter(({ startTime }) => startTime < time),
      );
      rest.open.set(name, later);
    }
    return rest;
  }
}

function put<K, V>(map: Map<K, V>, key: K, value: V): V {
  map.set(key, value);
  return value;
}
