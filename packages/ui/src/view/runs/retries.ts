import { type Retry, retriesOf } from "@ojm/schedule/operator";
import type { RetryView } from "../../contract/types.js";
import type { Source } from "../source.js";
import { shorten } from "./items.js";

/** The most characters of an error. */
const ERROR = 300;

/** The next attempt of a chain, if it waits for one. */
export async function retryOfChain(
  { manager, mask }: Source,
  name: string,
  chain: string,
): Promise<RetryView | undefined> {
  const retries = (await manager.retries(name)).filter((one) => one.chain === chain);
  const [found] = await retriesOf(manager, retries);
  return found && retryOf(found, mask);
}

/** An attempt that is to come, as the contract has it. */
export function retryOf({ name, chain, attempt, retry, due, error, orphaned }: Retry, mask: Source["mask"]): RetryView {
  return {
    ...{ name, chain, attempt, attempts: retry.attempts, due },
    ...(orphaned && { orphaned }),
    // Masked before it is cut: half a password would not be found.
    ...(error !== undefined && { error: shorten(mask(error), ERROR) }),
  };
}
