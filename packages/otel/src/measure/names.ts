/** The most names of jobs that have values of their own. */
export const MOST_NAMES = 200;

/** The name that counts all jobs beyond {@link MOST_NAMES}. */
export const OTHER = "_other";

/**
 * Limits the number of job names in labels: each name is a permanent time series in every metric. Names that
 * contain a customer or a date would fill the memory of this process and of Prometheus.
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
