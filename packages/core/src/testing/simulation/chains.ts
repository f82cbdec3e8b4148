import type { PendingRetry, RetryPolicy, RunRecord } from "../../jobs/types.js";

const chainOf = ({ chain, id }: RunRecord): string => chain ?? id;

interface Latest {
  readonly id: string;
  readonly attempt: number;
  readonly open: boolean;
  readonly handedOver: boolean;
}

/** The attempts of each retry series, as written: none begins before the previous one is closed. */
export class Attempts {
  /** The latest attempt of each retry series, and whether it is open. */
  readonly #latest: Map<string, Latest> = new Map();

  /** Call it with each record that the store applied. */
  applied(record: RunRecord): void {
    const { id, attempt = 1, status, handedOver = false } = record;
    const chain = chainOf(record);
    const latest = this.#latest.get(chain);
    if (latest !== undefined && latest.id !== id) {
      if (latest.open)
        throw new Error(`attempt ${attempt} of ${chain} begins while attempt ${latest.attempt} is running`);
      if (latest.handedOver && attempt !== latest.attempt)
        throw new Error(`attempt ${attempt} of ${chain} is made after ${latest.attempt} was handed over`);
      if (attempt <= latest.attempt && !latest.handedOver)
        throw new Error(`attempt ${attempt} of ${chain} is made after ${latest.attempt}`);
    }
    this.#latest.set(chain, { id, attempt, open: status === "running", handedOver });
  }
}

/**
 * Throws unless each retry series has its attempts, each once, as many as its policy allows, and the next one
 * is pending in the store if the last one is to be retried. `hasBegun`: whether the function of a run began;
 * without it, only the records show that.
 */
export function checkChains(
  records: readonly RunRecord[],
  pending: readonly PendingRetry[],
  hasBegun: (id: string) => boolean = () => false,
): void {
  const chains = new Map<string, RunRecord[]>();
  for (const record of records) {
    const chain = chainOf(record);
    chains.set(chain, [...(chains.get(chain) ?? []), record]);
  }
  for (const [chain, all] of chains) {
    // The clocks of two processes may differ: if one attempt was handed over, the fences show the order.
    const attempts = all.toSorted(
      (a, b) => numberOf(a) - numberOf(b) || Number(BigInt(a.fence ?? 0) - BigInt(b.fence ?? 0)),
    );
    const next = pending.find((it) => it.chain === chain);
    checkChain(chain, attempts, next, hasBegun);
  }
  for (const { chain, attempt } of pending)
    if (!chains.has(chain)) throw new Error(`attempt ${attempt} waits of ${chain}, which never began`);
}

function checkChain(
  chain: string,
  attempts: readonly RunRecord[],
  next: PendingRetry | undefined,
  hasBegun: (id: string) => boolean,
): void {
  const numbers = attempts.map(numberOf);
  // An attempt that was handed over is repeated under its number.
  const counted = attempts.map((_, i) => attempts.slice(0, i).filter(({ handedOver }) => handedOver !== true).length);
  const expected = counted.map((count) => count + 1);
  if (String(numbers) !== String(expected)) {
    const all = attempts.map((record) => `${numberOf(record)} (${record.status})`);
    throw new Error(`${chain} has the attempts ${all.join(", ")}`);
  }
  for (const [i, record] of attempts.entries()) {
    const later = attempts[i + 1] ?? next;
    if (later === undefined || isRetriable(record) || record.handedOver === true) continue;
    if (!isMadeUpFor(record) && !isMadeUpForBy(record, later))
      throw new Error(`${record.id} is ${record.status} and was tried again`);
    if (hasBegun(record.id)) throw new Error(`${record.id} is made up for, and its function had begun`);
  }
  const last = attempts.at(-1) as RunRecord;
  const isHandedOver = last.handedOver === true;
  const isLast = numberOf(last) >= (last.retry?.attempts ?? 1);
  const isMadeUp = isMadeUpFor(last) || (next !== undefined && isMadeUpForBy(last, next));
  const waits = isHandedOver || isMadeUp || (isRetriable(last) && !isLast);
  if (waits !== (next !== undefined)) {
    throw new Error(`${chain}: its last attempt is ${last.status}, and the next one ${waits ? "is lost" : "waits"}`);
  }
  if (next !== undefined && next.attempt !== numberOf(last) + (isHandedOver ? 0 : 1))
    throw new Error(`${chain} waits for attempt ${next.attempt} after ${attempts.length}`);
}

/** Without a policy, a record has no number. */
const numberOf = ({ attempt = 1 }: RunRecord): number => attempt;

/** A start of a schedule whose answer was lost, or which happened during a close: another attempt follows. */
function isMadeUpFor({ tick, status, error }: RunRecord): boolean {
  return tick !== undefined && status === "lost" && error?.includes("did not begin") === true;
}

/**
 * Whether an attempt replaces a start of a schedule whose answer was lost. If its session ended too, another
 * process may have closed the record as that of a dead process meanwhile. The policy of the attempt shows it:
 * it allows one attempt more.
 */
function isMadeUpForBy(
  { tick, status, retry }: RunRecord,
  later: { readonly retry?: Pick<RetryPolicy, "attempts"> },
): boolean {
  return tick !== undefined && status === "lost" && later.retry?.attempts === (retry?.attempts ?? 1) + 1;
}

/** By the definition of the policy, not by the code under test. */
function isRetriable({ status, retry }: RunRecord): boolean {
  return ["failed", "timeout"].includes(status) || (status === "lost" && retry?.onLost === true);
}
