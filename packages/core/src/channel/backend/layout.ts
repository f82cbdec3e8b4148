import type { Clock } from "../../util/clock.js";
import { ChannelError } from "../errors.js";

/** A store, and the newest layout that this version of its backend knows. */
export interface StoreLayout {
  /** The store, for messages: `SQLite file /srv/jobs.db`. */
  readonly store: string;
  /** The package of the backend, for messages. */
  readonly package: string;
  /** The number of the layout. Raise it when an older version would misread what this one writes. */
  readonly known: number;
}

/**
 * Refuses a store whose layout is newer than this version knows.
 *
 * @param found the layout of the store
 * @throws ChannelError `INVALID_CONFIG`, which says what to upgrade
 */
export function refuseNewerLayout(found: number, { store, package: name, known }: StoreLayout): void {
  if (found <= known) return;
  const message = `${store} has layout ${found}, and this version of ${name} knows layouts up to ${known}: upgrade ${name} and the other packages of ojm in this program`;
  throw new ChannelError("INVALID_CONFIG", message);
}

/** The number in a mark. A text that is not a mark counts as none: it must not keep every process out. */
function numberIn(mark: string | undefined): number | undefined {
  // A later version may add more after a space.
  const [found] = /^\d{1,9}(?= |$)/.exec(mark ?? "") ?? [];
  return found === undefined ? undefined : Number(found);
}

/** The shortest time between two checks of a mark, in ms: a little less than between two heartbeats. */
const CHECK_EVERY = 4_000;

/**
 * The layout's mark in a store on a server: an entry of the backend's own with the number of the layout.
 *
 * The store may be emptied, or changed by a later version, while a process has it open. So each process that
 * writes checks the mark from time to time, along with its commits, and writes the mark where it is missing.
 * A process that only reads writes no mark, and checks it only when it opens the store. A store without a
 * mark is new, or has layout 1.
 */
export class LayoutMark {
  readonly #layout: StoreLayout;
  readonly #clock: Clock;
  readonly #claim: (mark: string) => Promise<string | undefined>;
  #next: number = Number.NEGATIVE_INFINITY;
  /** The newer layout that the store had at the last check. */
  #refused: number | undefined;

  /**
   * @param claim writes the mark, unless the store has one, in one step. Resolves to the mark that was there
   */
  constructor(layout: StoreLayout, clock: Clock, claim: (mark: string) => Promise<string | undefined>) {
    this.#layout = layout;
    this.#clock = clock;
    this.#claim = claim;
  }

  /**
   * Accepts or refuses the mark that the store has. Call it with the mark that `open` has read.
   *
   * @throws ChannelError `INVALID_CONFIG` for a newer layout
   */
  accept(mark: string | undefined): void {
    this.#refused = undefined;
    const found = numberIn(mark);
    if (found === undefined || found <= this.#layout.known) return;
    this.#refused = found;
    refuseNewerLayout(found, this.#layout);
  }

  /**
   * Call it before each call to the store.
   *
   * @throws ChannelError `INVALID_CONFIG` after a mark was refused, until a later check finds a known one
   */
  assertKnown(): void {
    if (this.#refused === undefined) return;
    // A refused process writes nothing, so no write would start the check that opens the store again.
    this.check();
    refuseNewerLayout(this.#refused, this.#layout);
  }

  /** Call it with each write. Starts a check if one is due; the write does not wait for it. */
  check(): void {
    const now = this.#clock.monotonic();
    if (now < this.#next) return;
    this.#next = now + CHECK_EVERY;
    // If it fails, the next check asks again. If it finds a newer layout, later calls are refused.
    this.#claim(String(this.#layout.known))
      .then((mark) => this.accept(mark))
      .catch(() => {});
  }
}
