import { type ConnectionOptions, Queue, Worker } from "bullmq";

/** One of this many jobs fails, as with our runs. */
const FAILS = 50;

/** How many jobs a worker processes at once, and how many are added at once. */
const AT_ONCE = 50;
const ADDED = 1_000;

export function connectionOf(url: string): ConnectionOptions {
  const { hostname: host, port } = new URL(url);
  return { host, port: Number(port), maxRetriesPerRequest: null };
}

/** Lets workers process `total` jobs, the same number in each queue. Their records stay. */
export async function fillQueues(url: string, names: readonly string[], total: number): Promise<void> {
  const connection = connectionOf(url);
  const each = Math.ceil(total / names.length);
  for (const name of names) {
    const queue = new Queue(name, { connection });
    for (let from = 0; from < each; from += ADDED) {
      const jobs = Array.from({ length: Math.min(ADDED, each - from) }, (_, i) => ({ name, data: { i: from + i } }));
      await queue.addBulk(jobs);
    }
    const work = async ({ data }: { readonly data: { readonly i: number } }): Promise<string> => {
      if (data.i % FAILS === FAILS - 1) throw new Error("the server of the reports does not answer");
      return "42 rows";
    };
    const worker = new Worker(name, work, { connection, concurrency: AT_ONCE });
    let done = 0;
    await new Promise<void>((resolve, reject) => {
      const ended = (): void => {
        if (++done === each) resolve();
      };
      worker.on("completed", ended).on("failed", ended).on("error", reject);
    });
    await worker.close();
    await queue.close();
  }
}
