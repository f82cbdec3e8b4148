import { JobManager } from "@ojm/core";
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { Mutex } from "redis-semaphore";
import Redlock from "redlock";

/** How long a lock lasts that is not renewed, in ms: the same for all. */
export const TTL = 3_000;

const NAME = "job";
const RETRY = 50;

/** Runs under the lock until `told` fires. */
export type Body = (told: AbortSignal) => Promise<void>;

/** A way to hold a lock by name over Redis, with renewal, as its documentation recommends it. */
export interface Contestant {
  /** The key that holds the lock, where it is one that can be deleted or overwritten by hand. */
  readonly key: string | undefined;
  /** Waits for the lock, however long, and runs the body under it. */
  hold(url: string, body: Body): Promise<void>;
}

const ojm: Contestant = {
  key: undefined,
  async hold(url, body) {
    const channel = { type: "redis", args: { url } };
    const manager = await JobManager.init({ chJobs: channel, chLocks: channel, ttl: TTL });
    await manager.run(NAME, ({ signal }) => body(signal), { wait: 600_000 });
  },
};

const redlock: Contestant = {
  key: NAME,
  async hold(url, body) {
    // Its default of ten tries is for renewals too, so whoever waits for longer begins anew.
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
    // The same id from everybody: whoever comes second finds the job there.
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

/** By the name under which the results are shown. */
export const contestants: Readonly<Record<string, Contestant>> = {
  ojm,
  redlock,
  "redis-semaphore": redisSemaphore,
  bullmq,
};
