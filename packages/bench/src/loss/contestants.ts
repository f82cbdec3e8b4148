import { type JobManager, openJobManager } from "@ojm/core";
import { loadRivals } from "../rivals.js";
import { type Contestant, NAME, now, TTL } from "./contestant.js";

const ojm: Contestant = {
  key: undefined,
  keptByThread: true,
  async hold(url, body) {
    const channel = { type: "redis", args: { url } };
    const manager = await openJobManager({ chJobs: channel, chLocks: channel, ttl: TTL });
    const renewedAt = observeRenewals(manager.channels.locks);
    await manager.run(NAME, ({ signal }) => body(signal, () => renewedAt() + TTL), { wait: 600_000 });
  },
};

/**
 * Returns when this thread sent the last renewal of a session that the store answered, by the clock of {@link
 * now}.
 */
function observeRenewals(locks: JobManager["channels"]["locks"]): () => number {
  let last = Number.NaN;
  const isSession = (key: unknown): boolean => Array.isArray(key) && key.length === 2 && key[0] === "session";
  const set = locks.set.bind(locks);
  locks.set = async (key, ...rest) => {
    const sent = now();
    const version = await set(key, ...rest);
    if (isSession(key)) last = sent;
    return version;
  };
  const compareAndSet = locks.compareAndSet.bind(locks);
  locks.compareAndSet = async (key, ...rest) => {
    const sent = now();
    const outcome = await compareAndSet(key, ...rest);
    if (isSession(key) && outcome.ok) last = sent;
    return outcome;
  };
  return () => last;
}

const rivals = (await loadRivals("loss.ts")) as { contestants: Readonly<Record<string, Contestant>> };

/** The contestants, by their names in the results. */
export const contestants: Readonly<Record<string, Contestant>> = { ojm, ...rivals.contestants };
