import type { VNode } from "preact";
import type { WaiterView } from "../../api/types.js";
import { Holder } from "../facts.js";
import { Elapsed } from "../time.js";

/**
 * The processes that wait for a lock, in the order in which they will get it. `n`: the number of all waiters.
 */
export function Waiters({ waiters, n }: { readonly waiters: readonly WaiterView[]; readonly n: number }): VNode {
  const more = n - waiters.length;
  return (
    <span class="waiters dim">
      {waiters.map((waiter, place) => (
        // One process may wait several times.
        <span key={`${waiter.instance} ${place}`}>
          <Holder holder={waiter} />
          {waiter.since !== undefined && (
            <>
              {" for "}
              <Elapsed since={waiter.since} />
            </>
          )}
        </span>
      ))}
      {more > 0 && waiters.length > 0 && <span>{more} more</span>}
    </span>
  );
}
