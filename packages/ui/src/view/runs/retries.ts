import type { PendingRetry } from "@ojm/core";
import { isOwn } from "@ojm/core/internal";
import { attemptsLeft } from "@ojm/schedule";
import type { RetryView } from "../../contract/now.js";
import type { Source } from "../source.js";
import { shorten } from "./items.js";

/** The most characters of an error. */
const ERROR = 300;

/** The chains of all names, or of one, that wait for their next attempt, the soonest first. */
export async function retriesOf({ manager, mask }: Source, name?: string): Promise<RetryView[]> {
  const [retries, left] = await Promise.all([manager.retries(name), attemptsLeft(manager, name)]);
  const unmade = new Set(left.map(({ chain }) => chain));
  const all = retries.filter((one) => name !== undefined || !isOwn(one.name));
  return all.sort((a, b) => a.due - b.due).map((one) => retryOf(one, unmade.has(one.chain), mask));
}

function retryOf(
  { name, chain, attempt, retry, due, error }: PendingRetry,
  isUnmade: boolean,
  mask: Source["mask"],
): RetryView {
  return {
    name,
    chain,
    attempt,
    attempts: retry.attempts,
    due,
    ...(isUnmade && { nobody: true }),
    // Masked before it is cut: half a password would not be found.
    ...(error !== undefined && { error: shorten(mask(error), ERROR) }),
  };
}
