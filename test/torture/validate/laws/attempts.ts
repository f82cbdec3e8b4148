import type { PendingRetry, RunRecord } from "@ojm/core";
import { checkChains } from "../../../../packages/core/src/testing/simulation/chains.js";
import { isWhole } from "../excuse.js";
import type { Evidence, Violation } from "../verdict.js";

/**
 * Each retry series has its attempts, each once and in order. If the last one is to be tried again, the next
 * one is in the store. Only a run whose function never began is repeated. The law of one holder checks that
 * attempts do not overlap: they share a name.
 */
export function judgeAttempts({ scene, stock }: Evidence): Violation[] {
  if (stock?.jobs === undefined || !isWhole(scene)) return [];
  const { records, pending } = stock.jobs;
  const begun = new Set(scene.members.flatMap((member) => member.all("enter").map(({ run }) => run)));
  const chains = new Set([...records.map(({ chain, id }) => chain ?? id), ...pending.map(({ chain }) => chain)]);
  return [...chains].flatMap((chain): Violation[] => {
    const text = faultOf(
      records.filter((record) => (record.chain ?? record.id) === chain),
      pending.filter((next) => next.chain === chain),
      (id) => begun.has(id),
    );
    return text === undefined ? [] : [{ law: "no attempt lost", text }];
  });
}

function faultOf(
  records: readonly RunRecord[],
  pending: readonly PendingRetry[],
  hasBegun: (id: string) => boolean,
): string | undefined {
  try {
    checkChains(records, pending, hasBegun);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
