import type { StoredChange } from "../../../channel/backend/backend.js";
import type { Run } from "../../../jobs/types.js";
import type { FakeClock } from "../../fake-clock.js";
import { isOnce } from "../entry-kinds.js";

/** The window of the runs that start once, and how long a start counts, in ms. */
export const WINDOW = 4_000;
const COUNTS = 3_600;

/** The store rounds times to live to whole ms. */
const ROUNDING = 2;

interface Start {
  /** The version of its entry is the fence of its run. */
  readonly fence: string;
  readonly instance: string;
  readonly at: number;
}

/**
 * The runs that start once in a window: each has written its start, and no two starts are closer than the
 * window. A start whose run did not begin may be undone, or replaced by its own process.
 */
export class StartedOnce {
  readonly #clock: FakeClock;
  /** The last start of each window, by the key of its entry. */
  readonly #last: Map<string, Start> = new Map();
  /** The fences of the starts that were written, and of the runs that began. */
  readonly #written: Set<string> = new Set();
  readonly #begun: Set<string> = new Set();
  #broken: string | undefined;
  #takenBack: string | undefined;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  /** Call it with each change that the store applied. */
  applied({ key, value, version: fence }: StoredChange): void {
    if (!isOnce(key)) return;
    const at = this.#clock.monotonic();
    const last = this.#last.get(key);
    const counts = last !== undefined && at < last.at + COUNTS - ROUNDING;
    if (value === null) {
      if (counts && this.#begun.has(last.fence)) this.#takenBack ??= `the start ${last.fence} of ${key} is taken back`;
      this.#last.delete(key);
      return;
    }
    const { instance } = JSON.parse(value).by;
    const isReplaced = last !== undefined && last.instance === instance && !this.#begun.has(last.fence);
    if (last !== undefined && counts && !isReplaced)
      this.#broken ??= `${fence} starts in the window of ${last.fence}: ${key}`;
    this.#last.set(key, { fence, instance, at });
    this.#written.add(fence);
  }

  /** Call it when the store has forgotten everything, including the starts. */
  forgotten(): void {
    this.#takenBack = undefined;
    this.#last.clear();
  }

  /** Call it when the body of a run that starts once begins. */
  entered({ name, fence }: Run): void {
    this.#begun.add(fence);
    if (!this.#written.has(fence)) this.#broken ??= `${name} ${fence} begins without the entry of its start`;
  }

  check(): void {
    const broken = this.#broken ?? this.#takenBack;
    if (broken !== undefined) throw new Error(broken);
  }
}
