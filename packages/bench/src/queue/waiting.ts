import type { Group } from "../report/result.js";
import type { Child } from "../run/child.js";
import type { Measured, Size } from "../run/rounds.js";
import type { OpenStore, Store } from "../stores.js";
import { type ItemsResult, measureItems, startContestant } from "./items.js";

/** How the queues are filled. */
const FILL = { what: "add", width: 1, batch: 100 } as const;

/** How the items of a queue in which others wait are added and worked. */
const WAY = { width: 32 } as const;

/** A queue with as many waiting items as the contestant says. */
export const waitingName = (waiting: number): string => `${waiting.toLocaleString("en")} waiting`;

/**
 * Measures one contestant with few and with many waiting items, each in a store of its own, in the same
 * rounds. A round adds as many items as it works, so the number of those that wait stays.
 */
export async function measureWaiting(
  name: string,
  store: Store,
  sizes: readonly number[],
  size: Size,
): Promise<ItemsResult> {
  const opened: OpenStore[] = [];
  const children: Child[] = [];
  try {
    for (const waiting of sizes) {
      const open = await store.open();
      opened.push(open);
      const child = await startContestant(name, store, open);
      children.push(child);
      await child.warmUp(FILL, waiting);
    }
    const { add, work, both } = await measureItems(store, children, WAY, size);
    for (const child of children) {
      await child.proveFacts();
      await child.close();
    }
    const named = (group: Group): Group => ({ ...group, measured: group.measured.map(nameOf) });
    const nameOf = (measured: Measured, i: number): Measured => ({
      ...measured,
      contestant: waitingName(sizes[i] ?? 0),
    });
    return { add: named(add), work: named(work), both: named(both) };
  } finally {
    for (const child of children) child.kill();
    for (const open of opened) await open.close();
  }
}
