/** Lends slots beside the one that the borrower holds. */
export interface SlotLender {
  /** Whether a request waits for a slot: a borrowed one is to be given back. */
  readonly slotsWanted: boolean;
  /** One more slot, if no request waits for one. Call the result to give it back. */
  borrow(): (() => void) | undefined;
  /** Gives the slot of the borrower to others for a while. Call the result to have it again. */
  lend(order: number): () => Promise<void>;
}

/** Limits of {@link mapConcurrent}. */
export interface MapLimits {
  /** How many items are worked on at once, at most. Default: as many as there are slots. */
  readonly most?: number;
  /** Asked before each item. Once it returns false, no other item begins. */
  goesOn?(): boolean;
}

/**
 * Works through a list in the slot of the caller and in borrowed slots. Results are in the order of the
 * items; an item that did not begin has none. A failed item does not stop the others: the first failure is
 * thrown at the end.
 */
export async function mapConcurrent<Item, Result>(
  lender: SlotLender,
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
  { most = Number.POSITIVE_INFINITY, goesOn = () => true }: MapLimits = {},
): Promise<Result[]> {
  const left = [...items.entries()].reverse();
  const results: Result[] = [];
  const failures = new Map<number, unknown>();
  const helpers: Promise<void>[] = [];
  let working = 1;
  const workThrough = async (mayStay: () => boolean): Promise<void> => {
    while (mayStay() && goesOn()) {
      const next = left.pop();
      if (next === undefined) return;
      const [index, item] = next;
      const result = work(item);
      // Only then, so that items begin in their order.
      hire();
      try {
        results[index] = await result;
      } catch (error) {
        failures.set(index, error);
      }
    }
  };
  const hire = (): void => {
    const giveBack = left.length > 0 && working < most ? lender.borrow() : undefined;
    if (giveBack === undefined) return;
    working++;
    const leave = (): void => {
      working--;
      giveBack();
    };
    helpers.push(workThrough(() => !lender.slotsWanted).finally(leave));
  };
  await workThrough(() => true);
  await Promise.all(helpers);
  const [first] = [...failures.keys()].sort((a, b) => a - b);
  if (first !== undefined) throw failures.get(first);
  return results;
}
