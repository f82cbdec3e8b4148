import { signal } from "@preact/signals";
import { ApiError, queryOf, read } from "../../../api/call.js";
import type { Lane, Timeline } from "../../../api/types.js";
import type { Range } from "./window.js";

/** So many lanes are read at once. */
const LIMIT = 40;

/** How long to wait while the reader moves, and after news, in ms. */
const PAUSE = 120;
const NEWS = 1_000;

/** How long to wait before lanes are read again that do not have all runs yet, in ms. */
const COUNTING = 3_000;

/** The lanes, read for a wider range than is shown, so that moving a little needs no call. */
export class Lanes {
  readonly lanes = signal<readonly Lane[] | undefined>(undefined);
  readonly more = signal(false);
  /** Whether older runs are not counted yet. */
  readonly isCounting = signal(false);
  readonly error = signal<ApiError | undefined>(undefined);
  #read: (Range & { readonly px: number; readonly q: string }) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #abort: AbortController | undefined;
  #wanted: { readonly range: Range; readonly px: number; readonly q: string } | undefined;
  #most = LIMIT;

  /** Says what is shown. Reads it unless it was read, and is not much coarser than can be shown. */
  want(range: Range, px: number, q: string): void {
    this.#wanted = { range, px, q };
    const known = this.#read;
    const isFine =
      known !== undefined &&
      known.q === q &&
      known.from <= range.from &&
      known.to >= range.to &&
      fineness(known, known.px) < fineness(range, px) * 1.6 &&
      fineness(known, known.px) > fineness(range, px) / 4;
    if (!isFine) this.#later(known === undefined || known.q !== q ? 0 : PAUSE);
  }

  /** Reads anew in a moment: something changed. */
  refresh(): void {
    this.#later(NEWS, false);
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
  }

  #due = Number.POSITIVE_INFINITY;

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
    const wanted = this.#wanted;
    if (wanted === undefined) return;
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    const { range, px, q } = wanted;
    const half = (range.to - range.from) / 2;
    const [from, to] = [Math.round(range.from - half), Math.round(range.to + half)];
    try {
      const lanes: Lane[] = [];
      let more = true;
      let isCounting = false;
      while (more && lanes.length < this.#most) {
        const query = { from, to, px: Math.round(px * 2), limit: LIMIT, after: lanes.at(-1)?.name, q };
        const answer = await read<Timeline>(`timeline${queryOf(query)}`, abort.signal);
        lanes.push(...answer.lanes);
        more = answer.more && answer.lanes.length > 0;
        isCounting ||= answer.missing !== undefined;
      }
      this.#read = { from, to, px: px * 2, q };
      this.lanes.value = lanes;
      this.more.value = more;
      this.isCounting.value = isCounting;
      if (isCounting) this.#later(COUNTING, false);
      this.error.value = undefined;
    } catch (error) {
      if (abort.signal.aborted) return;
      this.error.value = error instanceof ApiError ? error : new ApiError("UNKNOWN", String(error), 0);
      if (this.error.value.isAway) this.#later(2_000);
    }
  }
}

/** How many ms a pixel has. */
const fineness = ({ from, to }: Range, px: number): number => (to - from) / Math.max(1, px);
