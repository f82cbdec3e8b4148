import type { Key, Version } from "@ojm/core";
import { comparePlaces, isItem, type Place, placeOf, type StoredItem, waitingKey } from "../store/entries.js";
import { itemsIn, type QueueStore, type Waiting } from "../store/store.js";

/** The most items that are remembered. The others stay in the store until these are taken. */
const MOST = 1_000;

/** What the store has at a place: no item, if that is gone or damaged. */
type Change = Omit<Waiting, "item"> & { readonly item: StoredItem | undefined };

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
  #changes: Change[] | undefined;
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
    const place = placeOf(key);
    if (place === undefined || (this.#changes === undefined && !this.#isKnown(place))) return;
    const value = change.deleted ? undefined : change.value();
    const known = { ...place, key, version: change.version, item: isItem(value) ? value : undefined };
    this.#changes?.push(known);
    this.#apply(known);
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
    const changes: Change[] = [];
    this.#changes = changes;
    const prefix = ["w", this.#queue];
    const after = from && { after: waitingKey(this.#queue, from) };
    const { items, isAll } = await itemsIn(this.#store.channel, { prefix, limit, ...after });
    // `#put` may have forgotten the last items, too.
    if (this.#resets !== resets || this.#end !== from) return;
    this.#end = isAll ? "all" : items.at(-1);
    for (const one of [...items, ...changes]) this.#apply(one);
  }

  #apply({ item, ...change }: Change): void {
    if (item === undefined) this.remove(change, change.version);
    else if (this.#isKnown(change)) this.#put({ ...change, item });
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
