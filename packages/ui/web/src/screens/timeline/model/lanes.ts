import { signal } from "@preact/signals";
import { ApiError, queryOf, read } from "../../../api/call.js";
import type { Lane, Timeline } from "../../../api/types.js";
import type { Range } from "./items.js";

/** How many lanes are read at once. */
const LIMIT = 40;

/** How long to wait while the user moves, and after changes, in ms. */
const PAUSE = 120;
const NEWS = 1_000;

/**
 * Changes lead to at most one read in this time, in ms: an answer has all runs of all lanes. Runs that start
 * are drawn from the stream, at once.
 */
const EVERY = 5_000;

/** How long to wait before lanes with uncounted runs are read again, in ms. */
const COUNTING = 3_000;

/** The wanted range, its width, and the filter of the names. */
type Wanted = Range & { readonly px: number; readonly q: string };

/** The lanes, read for a wider range than shown, so that small moves need no call. */
export class Lanes {
  readonly lanes = signal<readonly Lane[] | undefined>(undefined);
  readonly more = signal(false);
  /** Whether older runs are still being counted. */
  readonly isCounting = signal(false);
  readonly error = signal<ApiError | undefined>(undefined);
  #wanted: Wanted | undefined;
  /** The range that was read last, and the one that was requested last. */
  #read: Wanted | undefined;
  #asked: Wanted | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = Number.POSITIVE_INFINITY;
  /** Set while lanes are being read. */
  #abort: AbortController | undefined;
  #begun = Number.NEGATIVE_INFINITY;
  /** Whether something changed while lanes were being read. */
  #again = false;
  #most = LIMIT;

  /**
   * Sets what is shown. Reads it, unless a finished or running read covers it at nearly the possible
   * resolution. The range moves each second: a slow read must not be restarted each time, or it would never
   * finish.
   */
  want(range: Range, px: number, q: string): void {
    this.#wanted = { ...range, px, q };
    const known = this.#asked;
    const isFine =
      known !== undefined &&
      known.q === q &&
      known.from <= range.from &&
      known.to >= range.to &&
      fineness(known) < fineness(this.#wanted) * 1.6 &&
      fineness(known) > fineness(this.#wanted) / 4;
    if (!isFine) this.#later(known === undefined || known.q !== q ? 0 : PAUSE);
  }

  /** Reads the lanes again in a moment, or after the call in progress, because something changed. */
  refresh(): void {
    if (this.#abort !== undefined) this.#again = true;
    else this.#later(Math.max(NEWS, this.#begun + EVERY - Date.now()), false);
  }

  /** Reads the lanes after these, too. */
  readMore(): void {
    if (!this.more.peek()) return;
    this.#most += LIMIT;
    this.more.value = false;
    this.#later(0);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    this.#abort = undefined;
  }

  #later(ms: number, postpones = true): void {
    const due = Date.now() + ms;
    if (!postpones && this.#due <= due) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => {
      this.#due = Number.POSITIVE_INFINITY;
      void this.#load();
    }, ms);
  }

  async #load(): Promise<void> {
    if (this.#wanted === undefined) return;
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.#begun = Date.now();
    this.#again = false;
    const { q, ...range } = this.#wanted;
    const half = (range.to - range.from) / 2;
    // The server reads the same range once for several pages.
    const step = 2 ** Math.floor(Math.log2(half / 4));
    const [from, to] = [Math.floor((range.from - half) / step) * step, Math.ceil((range.to + half) / step) * step];
    const px = Math.round(range.px * 2);
    this.#asked = { from, to, px, q };
    try {
      const lanes: Lane[] = [];
      let more = true;
      let isCounting = false;
      while (more && lanes.length < this.#most) {
        const query = { from, to, px, limit: LIMIT, after: lanes.at(-1)?.name, q };
        const answer = await read<Timeline>(`timeline${queryOf(query)}`, abort.signal);
        lanes.push(...answer.lanes);
        more = answer.more && answer.lanes.length > 0;
        isCounting ||= answer.missing !== undefined;
      }
      abort.signal.throwIfAborted();
      this.#read = this.#asked;
      this.lanes.value = lanes;
      this.more.value = more;
      this.isCounting.value = isCounting;
      if (isCounting) this.#later(COUNTING, false);
      this.error.value = undefined;
    } catch (error) {
      if (abort.signal.aborted) return;
      this.#asked = this.#read;
      this.error.value = error instanceof ApiError ? error : new ApiError("UNKNOWN", String(error), 0);
      if (this.error.value.isAway) this.#later(2_000);
    } finally {
      if (this.#abort === abort) {
        this.#abort = undefined;
        if (this.#again) this.refresh();
      }
    }
  }
}

/** How many ms a pixel has. */
const fineness = ({ from, to, px }: Wanted): number => (to - from) / Math.max(1, px);
