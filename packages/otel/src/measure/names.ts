/** The most names of jobs that have values of their own. */
export const MOST_NAMES = 200;

/** The name under which all further ones are counted. */
export const OTHER = "_other";

/**
 * Keeps the names of jobs in labels few: each one is a time series for ever, in every metric. A program whose
 * names contain a customer or a date would fill the memory of this process and that of Prometheus.
 */
export class Names {
  readonly #known: Set<string> = new Set();
  readonly #onFolded: () => void;

  /** `onFolded` is called for each value that is counted under {@link OTHER}. */
  constructor(onFolded: () => void) {
    this.#onFolded = onFolded;
  }

  /** The name for a label. */
  label(name: string): string {
    if (this.#known.has(name)) return name;
    if (this.#known.size >= MOST_NAMES) {
      this.#onFolded();
      return OTHER;
    }
    this.#known.add(name);
    return name;
  }
}
