import { createPostgresBackend, Queue, Worker } from "bullmq";
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import pg from "pg";
import PgBoss from "pg-boss";
import type { Data, QueueContestant } from "../src/queue/contestant.js";
import { connectionOf } from "./queues.js";

const QUEUE = "mail";

/** As many connections as there are workers at most, and some for what they do besides. */
const CONNECTIONS = 40;

/** What its two stores have in common. */
interface Bull {
  on(event: "error", listener: () => void): unknown;
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
}
type BullQueue = Bull & Pick<Queue, "add" | "addBulk" | "getJobCounts">;
type BullHandler = (job: { readonly data: Data }) => Promise<void>;

/** Its call for several items is `addBulk`. A worker takes single items, `concurrency` of them at once. */
async function bullmq(
  queue: BullQueue,
  start: (handler: BullHandler, concurrency: number) => Bull,
): Promise<QueueContestant> {
  queue.on("error", () => {}); // a rejected call reports it
  await queue.waitUntilReady();
  return {
    add(items) {
      const [first] = items;
      if (items.length === 1 && first !== undefined) return queue.add(QUEUE, first);
      return queue.addBulk(items.map((data) => ({ name: QUEUE, data })));
    },
    async work({ width, batch = 1 }, handled) {
      const worker = start(async ({ data }) => handled(data), width * batch);
      worker.on("error", () => {});
      await worker.waitUntilReady();
      return () => worker.close();
    },
    async left() {
      const counts = await queue.getJobCounts();
      return Object.entries(counts).reduce((sum, [state, count]) => (state === "completed" ? sum : sum + count), 0);
    },
    close: () => queue.close(),
  };
}

export function bullmqOnRedis(url: string): Promise<QueueContestant> {
  const connection = connectionOf(url);
  const start = (handler: BullHandler, concurrency: number): Bull =>
    new Worker(QUEUE, handler, { connection, concurrency });
  return bullmq(new Queue(QUEUE, { connection }), start);
}

export function bullmqOnPostgres(connectionString: string): Promise<QueueContestant> {
  const connection = { connectionString, max: CONNECTIONS };
  const queue = new Queue(QUEUE, { connection: { ...connection, migrate: true } }, createPostgresBackend);
  const start = (handler: BullHandler, concurrency: number): Bull =>
    new Worker(QUEUE, handler, { connection, concurrency }, createPostgresBackend);
  return bullmq(queue, start);
}

/**
 * Its own worker polls twice a second at most, so fetch by hand in a loop: its lowest possible cost. A batch
 * is fetched by one call, and completed by another one.
 */
export async function pgBoss(connectionString: string): Promise<QueueContestant> {
  const boss = new PgBoss({ connectionString, max: CONNECTIONS });
  boss.on("error", () => {}); // a rejected call reports it
  await boss.start();
  await boss.createQueue(QUEUE);
  return {
    add(items) {
      const [first] = items;
      if (items.length === 1 && first !== undefined) return boss.send(QUEUE, first);
      return boss.insert(items.map((data) => ({ name: QUEUE, data })));
    },
    async work({ width, batch: batchSize = 1 }, handled) {
      let isOpen = true;
      const loop = async (): Promise<void> => {
        while (isOpen) {
          const jobs = await boss.fetch<Data>(QUEUE, { batchSize });
          for (const { data } of jobs) handled(data);
          const ids = jobs.map(({ id }) => id);
          if (ids.length > 0) await boss.complete(QUEUE, ids);
        }
      };
      const loops = Promise.all(Array.from({ length: width }, loop));
      return async () => {
        isOpen = false;
        await loops;
      };
    },
    left: () => boss.getQueueSize(QUEUE, { before: "completed" }),
    close: () => boss.stop({ graceful: false }),
  };
}

/** It deletes completed jobs, and leaves no record. A batch is its local queue, and completes together. */
export async function graphileWorker(connectionString: string): Promise<QueueContestant> {
  const pgPool = new pg.Pool({ connectionString, max: CONNECTIONS });
  // A rejected call reports it. The library warns of a pool without them.
  pgPool.on("error", () => {});
  pgPool.on("connect", (client) => client.on("error", () => {}));
  const options = { pgPool, logger: new Logger(() => () => {}) };
  const utils = await makeWorkerUtils(options);
  await utils.migrate();
  return {
    add(items) {
      const [first] = items;
      if (items.length === 1 && first !== undefined) return utils.addJob(QUEUE, first);
      return utils.addJobs(items.map((payload) => ({ identifier: QUEUE, payload })));
    },
    async work({ width, batch = 1 }, handled) {
      const concurrency = width * batch;
      const batched = { worker: { localQueue: { size: batch }, completeJobBatchDelay: 0 } };
      const runner = await run({
        ...options,
        ...(batch > 1 && { preset: batched }),
        concurrency,
        noHandleSignals: true,
        taskList: { [QUEUE]: async (payload) => handled(payload as Data) },
      });
      return () => runner.stop();
    },
    async left() {
      const { rows } = await pgPool.query("SELECT count(*)::integer AS n FROM graphile_worker._private_jobs");
      return rows[0].n;
    },
    async close() {
      await utils.release();
      await pgPool.end();
    },
  };
}
