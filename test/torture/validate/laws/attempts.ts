import type { PendingRetry, RunRecord } from "@ojm/core";
import { checkChains } from "../../../../packages/core/src/testing/simulation/chains.js";
import { isWhole } from "../excuse.js";
import type { Evidence, Violation } from "../verdict.js";

/**
 * Each chain has its attempts, each once and in order. If the last one is to be tried again, the next one is
 * in the store. That attempts do not overlap is for the law of one holder: they have one name.
 */
export function judgeAttempts({ scene, stock }: Evidence): Violation[] {
  if (stock?.jobs === undefined || !isWhole(scene)) return [];
  const { records, pending } = stock.jobs;
  const chains = new Set([...records.map(({ chain, id }) => chain ?? id), ...pending.map(({ chain }) => chain)]);
  return [...chains].flatMap((chain): Violation[] => {
    const text = faultOf(
      records.filter((record) => (record.chain ?? record.id) === chain),
      pending.filter((next) => next.chain === chain),
    );
    return text === undefined ? [] : [{ law: "no attempt lost", text }];
  });
}

function faultOf(records: readonly RunRecord[], pending: readonly PendingRetry[]): string | undefined {
  try {
    checkChains(records, pending);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
