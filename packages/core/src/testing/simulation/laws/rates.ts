import type { Commit, StoredChange } from "../../../channel/backend/backend.js";
import type { Run } from "../../../jobs/types.js";
import type { FakeClock } from "../../fake-clock.js";
import { isLock, isToken } from "../entry-kinds.js";

/** The rate of the runs that have one. */
export const RATE = { name: "r", max: 3, per: 2_000 } as const;

/** The store rounds times to live to whole ms. */
const ROUNDING = 2;

const LINE = 'oJobManager-locks ["lock "ojm!_rate!_r ';

/** A token that was written, and the first in line at that moment. */
interface Taken {
  readonly run: string;
  readonly version: string;
  readonly first: string | undefined;
}

/**
 * The runs with a rate: at most `max` begin in any window, by the clock of the store. Each has written its
 * token with its lock, and passes no process whose runs wait in line.
 */
export class Rates {
  readonly #clock: FakeClock;
  /** When the last tokens were written. */
  #times: number[] = [];
  /** The tokens that are not judged yet: the changes of a commit come one by one. */
  #taken: Taken[] = [];
  /** The sessions of the locks that were written, by their versions. */
  readonly #locked: Map<string, string> = new Map();
  readonly #tokens: Set<string> = new Set();
  /** The session of the first in line. */
  #first: string | undefined;
  /** The runs whose process was the first in line when they sent their commit. */
  readonly #entitled: Set<string> = new Set();
  #broken: string | undefined;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  sent({ writes }: Commit): void {
    const token = writes.find(({ key, value }) => isToken(key) && value !== null);
    const lock = writes.find(({ key, value }) => isLock(key) && value !== null);
    if (token?.value == null || lock?.value == null) return;
    const { run } = JSON.parse(token.value);
    if (JSON.parse(lock.value).holder.instance === this.#first) this.#entitled.add(run);
  }

  applied({ key, value, version }: StoredChange): void {
    if (key === LINE) this.#first = value === null ? undefined : JSON.parse(value).holder.instance;
    if (value === null) return;
    if (isLock(key)) this.#locked.set(version, JSON.parse(value).holder.instance);
    if (!isToken(key)) return;
    const now = this.#clock.monotonic();
    this.#times = [...this.#times.filter((time) => time + RATE.per - ROUNDING > now), now];
    if (this.#times.length > RATE.max) this.#broken ??= `${this.#times.length} runs begin within ${RATE.per} ms`;
    this.#taken.push({ run: JSON.parse(value).run, version, first: this.#first });
    this.#tokens.add(version);
  }

  /** Call it when the store has forgotten everything: a run may still believe that it is the first. */
  forgotten(): void {
    [this.#times, this.#taken, this.#first, this.#broken] = [[], [], undefined, undefined];
  }

  /** Call it when the body of a run with a rate begins. */
  entered({ name, fence }: Run): void {
    if (!this.#tokens.has(fence)) this.#broken ??= `${name} ${fence} begins without a token`;
  }

  check(): void {
    for (const { run, version, first } of this.#taken) {
      const session = this.#locked.get(version);
      if (session === undefined) this.#broken ??= `the token of ${run} is taken without its lock`;
      else if (first !== undefined && first !== session && !this.#entitled.has(run))
        this.#broken ??= `${run} passes the first in line for the rate`;
    }
    this.#taken = [];
    if (this.#broken !== undefined) throw new Error(this.#broken);
  }
}
