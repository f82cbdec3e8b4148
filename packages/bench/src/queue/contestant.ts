import type { Load } from "../run/contestant.js";

/** The data of an item: as of a mail to send. */
export interface Data {
  readonly order: number;
  readonly to: string;
}

/** A queue with one name, of ours or of another library. */
export interface QueueContestant {
  /** Adds items by one call, if the library has such a call. Resolves once they are in the store. */
  add(items: readonly Data[]): Promise<unknown>;
  /**
   * Begins to handle items: `width` of them at once, or for a batch as many as it has, each by a call of
   * `handled`. Resolves to a function that ends it, and waits until the handled items are completed.
   */
  work(load: Load, handled: (data: Data) => void): Promise<() => Promise<void>>;
  /** How many items of the store are not completed. */
  left(): Promise<number>;
  close(): Promise<void>;
}
