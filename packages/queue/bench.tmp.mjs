import { openJobManager } from "@ojm/core";
import { openQueues } from "@ojm/queue";
import { createRequire } from "node:module";
import { rmSync } from "node:fs";
const require = createRequire("/work/t/queue/package.json");
const [kind, store, n = "3000", concurrency = "32"] = process.argv.slice(2);
const N = Number(n), C = Number(concurrency);
const cpu = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
let done = 0, resolve;
const all = new Promise((r) => (resolve = r));
const handler = async () => { if (++done === N) resolve(); };
const report = (what, t, c) => console.log(kind, store, what, `${Math.round(N / ((performance.now() - t) / 1000))}/s`, `${((cpu() - c) / N).toFixed(3)} ms CPU per item`);
if (kind === "ojm") {
  const manager = await openJobManager(store);
  const queues = openQueues(manager);
  await queues.define("q");
  let [t, c] = [performance.now(), cpu()];
  for (let i = 0; i < N; i += 100) await Promise.all(Array.from({ length: 100 }, (_, j) => queues.add("q", { i: i + j })));
  report("add (100 at once)", t, c);
  [t, c] = [performance.now(), cpu()];
  await queues.work("q", handler, { concurrency: C });
  await all;
  report(`work (${C})`, t, c);
  await queues.close(); await manager.close();
} else {
  const { Queue, Worker } = require("bullmq");
  const url = new URL(store); const connection = { host: url.hostname, port: Number(url.port), maxRetriesPerRequest: null };
  const queue = new Queue("q", { connection });
  await queue.waitUntilReady();
  let [t, c] = [performance.now(), cpu()];
  for (let i = 0; i < N; i += 100) await Promise.all(Array.from({ length: 100 }, (_, j) => queue.add("x", { i: i + j })));
  report("add (100 at once)", t, c);
  [t, c] = [performance.now(), cpu()];
  const worker = new Worker("q", handler, { connection, concurrency: C });
  await all;
  report(`work (${C})`, t, c);
  await worker.close(); await queue.close();
}
process.exit(0);
