import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { openAlerts } from "@ojm/alerts";
import { openJobManager, type Run } from "@ojm/core";
import { openPrometheus } from "@ojm/otel/prometheus";
import { openScheduler } from "@ojm/schedule";

/* One replica of a service with scheduled jobs. Start several: each tick runs on one of them. */

const { OJM_STORE = "redis://127.0.0.1:6379", PORT = "8080", WEBHOOK, IMPORT_EVERY = "1m" } = process.env;

/** How long the jobs may take to end after SIGTERM. */
const GRACE = "20s";
/** How long alerts may take to be delivered after that. */
const ALERTS = "5s";

const manager = await openJobManager(OJM_STORE);
const scheduler = openScheduler(manager);
const alerts = WEBHOOK
  ? await openAlerts(manager, {
      rules: [
        { on: ["failed", "lost", "timeout", "recovered"], to: { webhook: WEBHOOK } },
        { on: ["missed"], jobs: ["nightly-report"], to: { webhook: WEBHOOK } },
      ],
    })
  : undefined;

let closing = false;
const metrics = openPrometheus({ ready: () => !closing });
const server = createServer((request, response) => {
  if (!metrics.handle(request, response)) response.writeHead(404).end();
});

async function stop(): Promise<void> {
  closing = true; // /readyz answers 503 from now on
  await scheduler.close({ grace: GRACE }); // starts nothing more, and waits for the jobs
  await alerts?.close({ wait: ALERTS });
  await manager.close();
  metrics.close();
  server.close();
}
process.once("SIGTERM", stop).once("SIGINT", stop);

/** Imports the orders in batches. A second attempt may import a batch again, so that must change nothing. */
async function importOrders(run: Run): Promise<{ batches: number }> {
  for (let batch = 1; batch <= 5; batch++) {
    await sleep(200, undefined, { signal: run.signal }); // your work; throws when the run must stop
    run.progress(batch, 5, "batches");
  }
  run.log.info("imported", { attempt: run.attempt });
  return { batches: 5 };
}

function writeReport(run: Run): void {
  run.log.info("the report of", { day: new Date(run.tick?.at ?? run.startTime).toISOString().slice(0, 10) });
}

const retry = { attempts: 3, delay: "10s", onLost: true } as const;
await scheduler.add("import-orders", { every: IMPORT_EVERY, timeout: "10m", retry }, importOrders);
await scheduler.add(
  "nightly-report",
  { cron: "0 2 * * *", timeZone: "Europe/Lisbon", missed: "latest", retry },
  writeReport,
);

server.listen(Number(PORT), () => console.log(`ready on port ${(server.address() as AddressInfo).port}`));
