import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { Mutex } from "redis-semaphore";
import Redlock from "redlock";
import { type Contestant, NAME, TTL } from "../src/loss/contestant.js";

const RETRY = 50;

const redlock: Contestant = {
  key: NAME,
  async hold(url, body) {
    // Its default of ten tries also counts for renewals. So keep it, and start again when a wait takes
    // longer.
    const locks = new Redlock([new Redis(url)], { retryDelay: RETRY });
    locks.on("error", () => {});
    let entered = false;
    while (!entered) {
      await locks
        .using([NAME], TTL, async (signal) => {
          entered = true;
          await body(signal);
        })
        .catch(() => {});
    }
  },
};

const redisSemaphore: Contestant = {
  key: `mutex:${NAME}`,
  async hold(url, body) {
    const lost = new AbortController();
    const mutex = new Mutex(new Redis(url) as never, NAME, {
      lockTimeout: TTL,
      acquireTimeout: 600_000,
      retryInterval: RETRY,
      onLockLost: (error) => lost.abort(error),
    });
    await mutex.acquire();
    await body(lost.signal);
    await mutex.release();
  },
};

const bullmq: Contestant = {
  key: "bull:runs:the-run:lock",
  async hold(url, body) {
    const { hostname: host, port } = new URL(url);
    const connection = { host, port: Number(port), maxRetriesPerRequest: null };
    // All processes use the same id: the second one finds the existing job.
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

/** By their names in the results. */
export const contestants: Readonly<Record<string, Contestant>> = {
  redlock,
  "redis-semaphore": redisSemaphore,
  bullmq,
};
