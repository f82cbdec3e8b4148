import type { EntriesOptions, Key, Version } from "@ojm/core";
import { readable } from "@ojm/core/internal";
import { comparePlaces, isItem, type Place, placeOf, type StoredItem } from "../store/entries.js";
import type { QueueStore } from "../store/store.js";

/** The most items that are remembered. The others stay in the store until these are taken. */
const MOST = 1_000;

/** An item that waits. */
export interface Waiting extends Place {
  readonly key: Key;
  readonly version: Version;
  readonly item: StoredItem;
}

/**
 * The first of the items that wait, kept up to date by a watch. A queue may have a million of them: only as
 * many are read as the workers can take.
 */
export class Head {
  readonly #store: QueueStore;
  readonly #queue: string;
  /** In order. */
  #items: Waiting[] = [];
  /** All items up to this place are known; `undefined`: none is. */
  #end: Place | "all" | undefined;
  /** What changed while a page is read: the page may be older. */
  #changes: Map<string, Waiting | Version> | undefined;
  #filling: Promise<void> | undefined;
  /** How often everything was forgotten: a page that was read before is of no use. */
  #resets = 0;

  constructor(store: QueueStore, queue: string) {
    this.#store = store;
    this.#queue = queue;
  }

  get items(): readonly Waiting[] {
    return this.#items;
  }

  /** Whether further items may wait, and there is room for them. */
  get hasMore(): boolean {
    return this.#end !== "all" && this.#items.length < MOST;
  }

  changed(key: Key, change: { readonly version: Version; readonly deleted: boolean; value(): unknown }): void {
    const { version, deleted } = change;
    const place = placeOf(key);
    if (place === undefined) return;
    if (deleted) {
      this.#changes?.set(place.id, version);
      this.remove(place, version);
      return;
    }
    if (this.#changes === undefined && !this.#isKnown(place)) return;
    const item = change.value();
    if (!isItem(item)) return;
    const waiting = { ...place, key, version, item };
    this.#changes?.set(place.id, waiting);
    if (this.#isKnown(place)) this.#put(waiting);
  }

  /** Forgets everything: changes may have been missed. */
  reset(): void {
    this.#items = [];
    this.#end = undefined;
    this.#resets++;
  }

  /** Removes an item, unless it is newer than `version`. */
  remove(place: Place, version?: Version): void {
    const at = this.#find(place);
    const known = this.#items[at];
    if (known?.id !== place.id || (version !== undefined && known.version > version)) return;
    this.#items.splice(at, 1);
  }

  /** Reads up to `limit` further items, if there are more. */
  fill(limit: number): Promise<void> {
    this.#filling ??= this.#fill(limit).finally(() => {
      this.#filling = undefined;
      this.#changes = undefined;
    });
    return this.#filling;
  }

  async #fill(limit: number): Promise<void> {
    const [from, resets] = [this.#end, this.#resets];
    if (from === "all") return;
    const changes = new Map<string, Waiting | Version>();
    this.#changes = changes;
    let after: Key | undefined = from && ["w", this.#queue, from.rank, from.turn, from.id];
    const page: Waiting[] = [];
    let last: Place | undefined;
    let read: number;
    // A page of damaged keys must not hide the items behind it.
    do {
      read = 0;
      const range: EntriesOptions = { prefix: ["w", this.#queue], ...(after && { after }), limit };
      for await (const entry of readable(this.#store.channel, range)) {
        read++;
        after = entry.key;
        const place = placeOf(entry.key);
        if (place === undefined) continue;
        last = place;
        if (isItem(entry.value)) page.push({ ...place, key: entry.key, version: entry.version, item: entry.value });
      }
    } while (read === limit && last === undefined);
    // `#put` may have forgotten the last items, too.
    if (this.#resets !== resets || this.#end !== from) return;
    this.#end = read < limit || last === undefined ? "all" : last;
    for (const waiting of page) {
      const change = changes.get(waiting.id);
      if (change === undefined || versionOf(change) < waiting.version) this.#put(waiting);
    }
    for (const change of changes.values()) if (typeof change !== "string" && this.#isKnown(change)) this.#put(change);
  }

  #isKnown(place: Place): boolean {
    return this.#end === "all" || (this.#end !== undefined && comparePlaces(place, this.#end) <= 0);
  }

  #put(waiting: Waiting): void {
    const at = this.#find(waiting);
    const known = this.#items[at];
    if (known?.id !== waiting.id) this.#items.splice(at, 0, waiting);
    else if (known.version < waiting.version) this.#items[at] = waiting;
    if (this.#items.length <= 2 * MOST) return;
    this.#items.length = MOST;
    this.#end = this.#items[MOST - 1];
  }

  /** The index of the first item that is not before `place`. */
  #find(place: Place): number {
    let [low, high] = [0, this.#items.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (comparePlaces(this.#items[middle] as Waiting, place) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const versionOf = (change: Waiting | Version): Version => (typeof change === "string" ? change : change.version);
