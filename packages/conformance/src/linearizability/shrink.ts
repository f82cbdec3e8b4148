import { findViolation } from "./check.js";
import { type CommitOperation, type History, type Operation, seenBy, writerOf } from "./history.js";

/**
 * Returns the smallest part of a history, of those that it tries, that is wrong by itself.
 *
 * It leaves out only operations without which a right history would still be right: those after some moment,
 * those without effect, puts that no operation saw, and deletes of keys that no operation found absent. So
 * what is wrong in the part is wrong in the whole.
 */
export function shrink(history: History): History {
  let smallest = cutTail(history);
  for (let again = true; again; ) {
    again = false;
    for (const operation of [...smallest].reverse()) {
      if (!removable(operation, smallest)) continue;
      const rest = smallest.filter(({ id }) => id !== operation.id);
      if (findViolation(rest) === undefined) continue;
      smallest = rest;
      again = true;
    }
  }
  return smallest;
}

/** The history up to the first answer with which it is wrong. */
function cutTail(history: History): History {
  const ends = history.map(({ returned }) => returned).filter((time) => time < Number.POSITIVE_INFINITY);
  ends.sort((a, b) => a - b);
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (findViolation(upTo(history, ends[middle] ?? 0)) === undefined) low = middle + 1;
    else high = middle;
  }
  const cut = upTo(history, ends[low] ?? 0);
  return findViolation(cut) === undefined ? history : cut;
}

/** The history as it was at `time`. A commit that had no answer yet may or may not have happened. */
function upTo(history: History, time: number): History {
  return history.flatMap((operation): Operation[] => {
    if (operation.returned <= time) return [operation];
    if (operation.invoked > time || operation.kind === "read") return [];
    return [{ ...operation, returned: Number.POSITIVE_INFINITY, outcome: { type: "unknown" } }];
  });
}

function removable(operation: Operation, history: History): boolean {
  if (operation.kind === "read") return true;
  const { outcome, writes, id } = operation;
  if (outcome.type === "refused" || outcome.type === "not-applied" || writes.length === 0) return !wasSeen(id, history);
  if (writes.every(({ put }) => !put)) return changesNothing(operation) || !foundAbsent(operation, history);
  if (!writes.every(({ put }) => put) || wasSeen(id, history)) return false;
  const version = outcome.type === "applied" ? outcome.version : undefined;
  return !history.some((other) => other.kind === "commit" && other.checks.some((check) => check.version === version));
}

/** Whether the commit deletes only keys that it expects to be absent. */
function changesNothing({ checks, writes }: CommitOperation): boolean {
  return writes.every(({ key }) => checks.some((check) => check.key === key && check.version === null));
}

/** Whether another operation found or expected one of the deleted keys to be absent. */
function foundAbsent({ id, writes }: CommitOperation, history: History): boolean {
  const deleted = new Set(writes.map(({ key }) => key));
  return history.some((other) => {
    if (other.id === id) return false;
    if (other.kind === "read") return other.keys.some((key, i) => deleted.has(key) && other.seen[i] === undefined);
    const { checks, outcome } = other;
    const current = outcome.type === "refused" ? outcome.current : undefined;
    return checks.some(
      ({ key, version }, i) =>
        deleted.has(key) && (version === null || (current !== undefined && current[i] === undefined)),
    );
  });
}

function wasSeen(id: number, history: History): boolean {
  return history.some((operation) =>
    seenBy(operation).some((seen) => seen !== undefined && writerOf(seen.value) === id),
  );
}
