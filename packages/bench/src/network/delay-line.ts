/** A timer of Node has a resolution of 1 ms. So look more often, and sleep this many ms in between. */
const LOOK_EVERY = 0.04;

/**
 * Delivers passed items after a delay, in order, and never early. It may delay by less than a millisecond,
 * for which it takes a part of a core while something is under way.
 */
export class DelayLine {
  readonly #delay: number;
  readonly #underWay: { readonly due: number; readonly deliver: () => void }[] = [];
  readonly #never = new Int32Array(new SharedArrayBuffer(4));

  /** The delay in ms. */
  constructor(delay: number) {
    this.#delay = delay;
  }

  pass(deliver: () => void): void {
    this.#underWay.push({ due: performance.now() + this.#delay, deliver });
    if (this.#underWay.length === 1) setImmediate(this.#look);
  }

  readonly #look = (): void => {
    for (let next = this.#underWay[0]; next !== undefined; next = this.#underWay[0]) {
      const left = next.due - performance.now();
      if (left > 0) {
        // Sleep only shortly: what arrives meanwhile begins its delay late.
        Atomics.wait(this.#never, 0, 0, Math.min(left, LOOK_EVERY));
        setImmediate(this.#look);
        return;
      }
      // Remove it afterwards: what its delivery passes on must not begin a second look.
      next.deliver();
      this.#underWay.shift();
    }
  };
}
