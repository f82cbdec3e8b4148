import { processIdentity } from "@ojm/core/internal";
import type { Column } from "./items.js";

/**
 * The column of the hosts of items; none if all of them are of this machine, because most stores are used on
 * one. `hostOf`: `undefined` for an item without a host.
 */
export function hostColumn<T>(
  items: readonly T[],
  rank: number,
  hostOf: (item: T) => string | undefined,
): readonly Column<T>[] {
  const { host: own } = processIdentity();
  const isElsewhere = items.some((item) => (hostOf(item) ?? own) !== own);
  return isElsewhere ? [{ title: "HOST", rank, cell: hostOf }] : [];
}
