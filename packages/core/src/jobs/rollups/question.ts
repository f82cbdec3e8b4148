import { readable } from "../../channel/calls/corrupt.js";
import type { Channel } from "../../channel/channel.js";
import type { Clock } from "../../util/clock.js";
import type { Records } from "../channels.js";
import type { TimeIndex } from "../records/time-index.js";
import { Answer } from "./answer.js";
import { floorTo, HOUR } from "./cell.js";
import {
  cellsKey,
  cellsPlace,
  cellsRange,
  type EntryPlace,
  type FoldEntry,
  readFold,
  SPANS,
  type Span,
} from "./entries.js";
import { Fold, type FoldStores } from "./fold/fold.js";
import { NEAR } from "./fold/late.js";
import { entriesOf } from "./fold/write-cells.js";
import { addHistory, addLive, addOpen } from "./live.js";
import { type Asked, checkRollups } from "./options.js";
import type { Rollups, RollupsOptions } from "./types.js";

/** How often a question is asked anew because a fold counted something again meanwhile. */
const TRIES = 10;

/** Answers what runs did by hours and minutes: from cells, and from the records that are in no cell yet. */
export class RollupQuestions {
  readonly #stores: FoldStores;
  readonly #fold: Fold;

  constructor({ jobs, times, turns }: Records, index: TimeIndex, clock: Clock, ttl: number) {
    const stores = { jobs, index, times: times as Channel<unknown>, turns: turns as Channel<unknown> };
    this.#stores = stores;
    this.#fold = new Fold(stores, clock, ttl);
  }

  async ask(options: RollupsOptions): Promise<Rollups> {
    const asked = checkRollups(options);
    const { jobs, index, times } = this.#stores;
    if (!(await index.isComplete())) {
      const answer = new Answer(asked);
      return answer.shown(await addHistory(jobs, asked, answer));
    }
    await this.#fold.fresh(await readFold(times));
    let entry = await readFold(times);
    for (let left = TRIES; ; left--) {
      const answer = new Answer(asked);
      const missing = await this.#add(asked, entry, answer);
      const after = await readFold(times);
      // A run that a fold moved into a cell meanwhile may have been seen twice, or not at all.
      if (after.state?.repairs === entry.state?.repairs || left === 0) return answer.shown(missing);
      entry = after;
    }
  }

  close(): Promise<void> {
    return this.#fold.close();
  }

  async #add(asked: Asked, { state }: FoldEntry, answer: Answer): Promise<Rollups["missing"]> {
    const { jobs, index, times } = this.#stores;
    const { from, to, signal } = asked;
    // A host whose clock is ahead may have moved the cursor too far: what our clock calls new is in no cell.
    const cursor = Math.max(Math.min(state?.cursor ?? from, this.#fold.target), (state?.cursor ?? from) - NEAR);
    const known = Math.max(from, Math.min(cursor, to));
    const missing = await addLive(jobs, index, { from: known, to, signal }, answer);
    if (known <= from) return missing;
    await addOpen({ jobs, times }, { from, to: known, signal }, answer);
    // The hour of the cursor is not over: its minutes tell it.
    const whole = asked.by === "hour" ? Math.max(from, floorTo(known, HOUR)) : from;
    await this.#addCells("day", { ...asked, to: Math.min(whole, known) }, answer);
    await this.#addCells("hour", { ...asked, from: whole, to: known }, answer);
    return missing;
  }

  /** Adds the cells from `from` to `to` of one kind of entry. */
  async #addCells(span: Span, { names, from, to, signal }: Asked, answer: Answer): Promise<void> {
    if (from >= to) return;
    const { times } = this.#stores;
    if (names === undefined) {
      for await (const { key, value } of readable(times, {
        ...cellsRange(span, from, to),
        ...(signal && { signal }),
      })) {
        const place = cellsPlace(key);
        if (place !== undefined) answer.addEntry(span, place, value, to);
      }
      return;
    }
    const places: EntryPlace[] = [];
    for (const name of names)
      for (let at = floorTo(from, SPANS[span]); at < to; at += SPANS[span]) places.push({ name, at });
    const values = await entriesOf(
      times,
      places.map(({ name, at }) => cellsKey(span, at, name)),
    );
    for (const [i, place] of places.entries()) answer.addEntry(span, place, values[i], to);
  }
}
