import { type JobManager, openJobManager } from "@ojm/core";
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { Mutex } from "redis-semaphore";
import Redlock from "redlock";

/** How long a lock lasts that is not renewed, in ms: the same for all contestants. */
export const TTL = 3_000;

const NAME = "job";
const RETRY = 50;

/**
 * Runs under the lock until `told` fires. `leaseEnd`, if it is known, returns when the lease ends as it
 * stands now, by the clock of {@link now}.
 */
export type Body = (told: AbortSignal, leaseEnd?: () => number) => Promise<void>;

/** The clock that all processes of the host share, in ms. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** A way to hold a lock by name over Redis, with renewal, as its documentation recommends it. */
export interface Contestant {
  /** The key of the lock, if that can be deleted or overwritten by hand. */
  readonly key: string | undefined;
  /** Whether another thread renews the lock while the event loop is blocked. */
  readonly keptByThread?: boolean;
  /** Waits for the lock without a limit, and runs the body under it. */
  hold(url: string, body: Body): Promise<void>;
}

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

const redlock: Contestant = {
  key: NAME,
  async hold(url, body) {
    // Its default of ten tries also counts for renewals. So keep it, and begin anew when a wait takes longer.
    const locks = new Redlock([new Redis(url)], { retryDelay: RETRY });
    locks.on("error", () => {});
    let entered = false;
    while (!entered) {
      await locks
        .using([NAME], TTL, async (told) => {
          entered = true;
          await body(told);
        })
        .catch(() => {});
    }
  },
};

const redisSemaphore: Contestant = {
  key: `mutex:${NAME}`,
  async hold(url, body) {
    const told = new AbortController();
    const mutex = new Mutex(new Redis(url) as never, NAME, {
      lockTimeout: TTL,
      acquireTimeout: 600_000,
      retryInterval: RETRY,
      onLockLost: (error) => told.abort(error),
    });
    await mutex.acquire();
    await body(told.signal);
    await mutex.release();
  },
};

const bullmq: Contestant = {
  key: "bull:runs:the-run:lock",
  async hold(url, body) {
    const { hostname: host, port } = new URL(url);
    const connection = { host, port: Number(port), maxRetriesPerRequest: null };
    // All processes use the same id: the second one finds the job that is there.
    await new Queue("runs", { connection }).add(NAME, {}, { jobId: "the-run" });
    await new Promise<void>((resolve, reject) => {
      const options = { connection, lockDuration: TTL, stalledInterval: 1_000, maxStalledCount: 10 };
      const worker = new Worker(
        "runs",
        async (_job, _token, signal) => {
          await body(signal ?? new AbortController().signal).then(resolve, reject);
        },
        options,
      );
      worker.on("error", () => {});
    });
  },
};

/** The contestants, by their names in the results. */
export const contestants: Readonly<Record<string, Contestant>> = {
  ojm,
  redlock,
  "redis-semaphore": redisSemaphore,
  bullmq,
};
