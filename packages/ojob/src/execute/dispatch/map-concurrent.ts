/** Lends slots beside the one that the borrower holds. */
export interface SlotLender {
  /** Whether a request waits for a slot: a borrowed one is to be given back. */
  readonly slotsWanted: boolean;
  /** One more slot, if no request waits for one. Call the result to give it back. */
  borrow(): (() => void) | undefined;
}

/**
 * Works through a list in the slot of the caller and in borrowed slots. Results are in the order of the
 * items. A failed item does not stop the others: the first failure is thrown at the end.
 */
export async function mapConcurrent<Item, Result>(
  lender: SlotLender,
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const left = [...items.entries()].reverse();
  const results: Result[] = [];
  const failures = new Map<number, unknown>();
  const helpers: Promise<void>[] = [];
  const workThrough = async (goesOn: () => boolean): Promise<void> => {
    while (goesOn()) {
      const next = left.pop();
      if (next === undefined) return;
      const [index, item] = next;
      hire();
      try {
        results[index] = await work(item);
      } catch (error) {
        failures.set(index, error);
      }
    }
  };
  const hire = (): void => {
    const giveBack = left.length > 0 ? lender.borrow() : undefined;
    if (giveBack !== undefined) helpers.push(workThrough(() => !lender.slotsWanted).finally(giveBack));
  };
  await workThrough(() => true);
  await Promise.all(helpers);
  const [first] = [...failures.keys()].sort((a, b) => a - b);
  if (first !== undefined) throw failures.get(first);
  return results;
}
