import type { PendingRetry, RunRecord } from "../../jobs/types.js";

const chainOf = ({ chain, id }: RunRecord): string => chain ?? id;

/** The attempts of each chain, as they are written: no attempt begins before the one before it is closed. */
export class Attempts {
  /** The latest attempt of each chain, and whether it is open. */
  readonly #latest: Map<string, { readonly id: string; readonly attempt: number; open: boolean }> = new Map();

  /** Call it with each record that the store applied. */
  applied(record: RunRecord): void {
    const { id, attempt, status } = record;
    if (attempt === undefined) return;
    const chain = chainOf(record);
    const latest = this.#latest.get(chain);
    if (latest !== undefined && latest.id !== id) {
      if (latest.open) throw new Error(`attempt ${attempt} of ${chain} begins while attempt ${latest.attempt} goes on`);
      if (attempt <= latest.attempt) throw new Error(`attempt ${attempt} of ${chain} is made after ${latest.attempt}`);
    }
    this.#latest.set(chain, { id, attempt, open: status === "running" });
  }
}

/**
 * Throws unless each chain has its attempts, each once, as many as its policy allows, and the next one waits
 * in the store if the last one is to be tried again.
 */
export function checkChains(records: readonly RunRecord[], pending: readonly PendingRetry[]): void {
  const chains = new Map<string, RunRecord[]>();
  for (const record of records) {
    const chain = chainOf(record);
    chains.set(chain, [...(chains.get(chain) ?? []), record]);
  }
  for (const [chain, all] of chains) {
    const attempts = all.toSorted((a, b) => numberOf(a) - numberOf(b));
    const next = pending.find((it) => it.chain === chain);
    checkChain(chain, attempts, next);
  }
  for (const { chain, attempt } of pending)
    if (!chains.has(chain)) throw new Error(`attempt ${attempt} waits of ${chain}, which never began`);
}

function checkChain(chain: string, attempts: readonly RunRecord[], next: PendingRetry | undefined): void {
  const numbers = attempts.map(numberOf);
  const expected = attempts.map((_, i) => i + 1);
  if (String(numbers) !== String(expected)) throw new Error(`${chain} has the attempts ${numbers}`);
  for (const record of attempts.slice(0, -1))
    if (!isRetriable(record) && !isMadeUpFor(record))
      throw new Error(`${record.id} is ${record.status} and was tried again`);
  const last = attempts.at(-1) as RunRecord;
  const waits = isMadeUpFor(last) || (isRetriable(last) && attempts.length < (last.retry?.attempts ?? 1));
  if (waits !== (next !== undefined)) {
    throw new Error(`${chain}: its last attempt is ${last.status}, and the next one ${waits ? "is lost" : "waits"}`);
  }
  if (next !== undefined && next.attempt !== attempts.length + 1)
    throw new Error(`${chain} waits for attempt ${next.attempt} after ${attempts.length}`);
}

/** Without a policy, a record has no number. */
const numberOf = ({ attempt = 1 }: RunRecord): number => attempt;

/** A start of a schedule whose answer was lost, or which a close has caught: another attempt follows. */
function isMadeUpFor({ tick, status, error }: RunRecord): boolean {
  return tick !== undefined && status === "lost" && error?.includes("did not begin") === true;
}

/** By the words of the policy, not by the code under test. */
function isRetriable({ status, retry }: RunRecord): boolean {
  return ["failed", "timeout"].includes(status) || (status === "lost" && retry?.onLost === true);
}
