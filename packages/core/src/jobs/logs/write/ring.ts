import type { LogBudget } from "../../../channel/backend/backend.js";

/** What an entry takes in a store besides its text, in bytes. It bounds the number of small chunks. */
const ENTRY = 256;

/**
 * The chunks of a log that a store keeps: the first ones, which fill the head of the budget, and the last
 * ones, which fill its tail.
 */
export class Ring {
  /** Bytes that are left in the head. Its last chunk may be longer: it takes the rest from the tail. */
  #headLeft: number;
  #tailMost: number;
  /** How many chunks are in the head. */
  #head = 0;
  readonly #tail: { readonly seq: number; readonly size: number }[] = [];
  #tailSize = 0;
  #next = 0;

  constructor(budget: Pick<LogBudget, "head" | "tail">) {
    this.#headLeft = budget.head;
    this.#tailMost = budget.tail;
  }

  /** The number of the next chunk. */
  get next(): number {
    return this.#next;
  }

  /** Adds a chunk of this length. Returns its number, and the chunks to delete for it, `most` at most. */
  add(bytes: number, most: number): { readonly seq: number; readonly deletes: readonly number[] } {
    const seq = this.#next++;
    const size = bytes + ENTRY;
    if (this.#headLeft > 0) {
      this.#headLeft -= size;
      if (this.#headLeft < 0) this.#tailMost += this.#headLeft;
      this.#head++;
      return { seq, deletes: [] };
    }
    this.#tail.push({ seq, size });
    this.#tailSize += size;
    const deletes: number[] = [];
    // The chunk itself is kept, however small the budget is.
    while (this.#tailSize > this.#tailMost && this.#tail.length > 1 && deletes.length < most) {
      const oldest = this.#tail.shift();
      if (oldest === undefined) break;
      this.#tailSize -= oldest.size;
      deletes.push(oldest.seq);
    }
    return { seq, deletes };
  }

  /** The numbers of all chunks that are kept. */
  kept(): number[] {
    return [...Array.from({ length: this.#head }, (_, seq) => seq), ...this.#tail.map(({ seq }) => seq)];
  }
}
