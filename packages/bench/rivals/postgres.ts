import { createPostgresBackend, Queue, Worker } from "bullmq";
import { Logger, run, runMigrations } from "graphile-worker";
import PgBoss from "pg-boss";
import type { Contestant } from "../src/run/contestant.js";

/**
 * A job that is sent, fetched and completed. Its own worker polls only twice a second, so fetch by hand as
 * soon as a job exists: that is its lowest possible cost.
 */
export async function pgBossPeer(connectionString: string): Promise<Contestant> {
  const boss = new PgBoss({ connectionString, max: 32 });
  boss.on("error", () => {}); // a rejected run reports it
  await boss.start();
  await boss.createQueue("runs");
  return {
    async run(name) {
      await boss.send("runs", { name });
      // Other callers fetch at the same time, so a fetch may find no job although there is one for each
      // caller.
      let jobs = await boss.fetch("runs");
      while (jobs.length === 0) jobs = await boss.fetch("runs");
      await Promise.all(jobs.map(({ id }) => boss.complete("runs", id)));
    },
    async records() {
      const { rows } = await boss
        .getDb()
        .executeSql("SELECT count(*) AS n FROM pgboss.job WHERE state = 'completed'", []);
      return Number((rows as { n: string }[])[0]?.n);
    },
    close: () => boss.stop({ graceful: false }),
  };
}

/** A job that is added, and awaited until a worker of this process has completed it. It leaves no record. */
export async function graphileWorkerPeer(connectionString: string): Promise<Contestant> {
  const options = { connectionString, maxPoolSize: 40, noHandleSignals: true, logger: new Logger(() => () => {}) };
  await runMigrations(options);
  const waiting = new Map<number, () => void>();
  let [last, completed] = [0, 0];
  const start = async (concurrency: number) => {
    const runner = await run({ ...options, concurrency, taskList: { job: async () => {} } });
    runner.events.on("job:complete", ({ job, error }) => {
      if (error) return;
      completed++;
      waiting.get((job.payload as { id: number }).id)?.();
    });
    return runner;
  };
  let width = 1;
  let runner = await start(width);
  return {
    async prepare(wanted) {
      if (wanted === width) return;
      await runner.stop();
      width = wanted;
      runner = await start(width);
    },
    async run(name) {
      const id = ++last;
      const done = new Promise<void>((resolve) => waiting.set(id, resolve));
      await runner.addJob("job", { id, name });
      await done;
      waiting.delete(id);
    },
    records: async () => completed,
    close: () => runner.stop(),
  };
}

/**
 * A job that is added, and awaited until a worker of this process has completed it. Of 32 jobs at once, the
 * events of its queue on PostgreSQL missed some, so a run listens to the worker.
 */
export async function bullmqPeer(connectionString: string): Promise<Contestant> {
  const create = { connectionString, max: 32, migrate: true };
  const queue = new Queue("runs", { connection: create }, createPostgresBackend);
  await queue.waitUntilReady();
  const options = { connection: { connectionString, max: 32 }, concurrency: 1 };
  const worker = new Worker("runs", async () => {}, options, createPostgresBackend);
  const waiting = new Map<number, () => void>();
  // A rejected run reports it.
  queue.on("error", () => {});
  worker.on("error", () => {});
  worker.on("completed", ({ data }) => waiting.get((data as { id: number }).id)?.());
  await worker.waitUntilReady();
  let last = 0;
  return {
    async prepare(width) {
      worker.concurrency = width;
    },
    async run(name) {
      const id = ++last;
      const done = new Promise<void>((resolve) => waiting.set(id, resolve));
      await queue.add(name, { id });
      await done;
      waiting.delete(id);
    },
    records: () => queue.getCompletedCount(),
    async close() {
      await worker.close();
      await queue.close();
    },
  };
}
