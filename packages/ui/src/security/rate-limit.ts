import { Refusal } from "./refusal.js";

/** The most attempts of one address in a window, and of all; the window in ms. */
const OF_ONE = 10;
const OF_ALL = 100;
const WINDOW = 60_000;

/** Limits how often a wrong token is answered. */
export class RateLimit {
  readonly #attempts: Map<string, number> = new Map();
  readonly #now: () => number;
  #all = 0;
  #until = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @throws Refusal `LIMIT` */
  check(address: string): void {
    const now = this.#now();
    if (now >= this.#until) {
      this.#attempts.clear();
      this.#all = 0;
      this.#until = now + WINDOW;
    }
    const attempts = (this.#attempts.get(address) ?? 0) + 1;
    this.#attempts.set(address, attempts);
    this.#all++;
    if (attempts <= OF_ONE && this.#all <= OF_ALL) return;
    const left = Math.ceil((this.#until - now) / 1_000);
    throw new Refusal("LIMIT", `too many attempts to log in: wait ${left} s`, { "Retry-After": String(left) });
  }
}
