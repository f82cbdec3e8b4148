import type { Dispatch } from "./dispatch.js";

/**
 * Works through a list in the slot of the caller and, beside it, in as many others as nobody needs. Results are in the order of the
 * items. One that fails does not keep the others from being worked on: the first failure is thrown at the end.
 */
export async function spread<Item, Result>(
  dispatch: Dispatch,
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
    const giveBack = left.length > 0 ? dispatch.borrow() : undefined;
    if (giveBack !== undefined) helpers.push(workThrough(() => !dispatch.slotsWanted).finally(giveBack));
  };
  await workThrough(() => true);
  await Promise.all(helpers);
  const [first] = [...failures.keys()].sort((a, b) => a - b);
  if (first !== undefined) throw failures.get(first);
  return results;
}
