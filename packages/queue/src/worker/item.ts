import type { Run } from "@ojm/core";
import { reasonText } from "@ojm/core/internal";
import { checkDuration } from "../options.js";
import type { Item } from "../types.js";
import type { ItemClaim } from "./claim.js";

/** An item as its handler has it. */
export function heldItem(queue: string, run: Run, claim: ItemClaim): Item {
  const { id, rank, item } = claim.waiting;
  const { options } = claim.definition;
  const { data, attempt, attempts = options.attempts, added, group, meta } = item;
  return {
    ...{ id, queue, data, attempt, attempts, added, group, meta, run },
    timeout: options.timeout,
    priority: 0 - rank,
    signal: run.signal,
    fence: run.fence,
    complete: async (result?: unknown, more: Parameters<Item["complete"]>[1] | typeof claim.more = []) => {
      if ("transaction" in more) {
        // The run ends with COMMIT. After a rollback, the handler still has the item.
        await run.end(result, { transaction: more.transaction });
        return;
      }
      claim.more = more;
      await run.end(result);
      claim.isEnded = true;
    },
    fail: async (error, { retry } = {}) => {
      const wait = retry === undefined || retry === false ? retry : checkDuration(queue, "retry of an item", retry);
      const text = reasonText(error);
      claim.decide("failed", { type: "failed", error: text, ...(wait !== undefined && { retry: wait }) });
      await run.fail(error);
      claim.isEnded = true;
    },
    giveBack: async (reason, { delay = 0 } = {}) => {
      claim.decide("skipped", { type: "given back", delay: checkDuration(queue, "delay of an item", delay) });
      await run.skip(reason);
      claim.isEnded = true;
    },
  };
}
