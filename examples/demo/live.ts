import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { type JobManager, openJobManager } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import { openQueues } from "@ojm/queue";
import { openScheduler } from "@ojm/schedule";
import { openCockpit } from "./cockpit.js";
import { fleetOf } from "./fleet/fleet.js";
import { Work } from "./fleet/job.js";
import { sendMails } from "./mails.js";
import type { WeekOptions } from "./week.js";
import { timesOf } from "./world/times.js";

/** How often two people request the same report, in ms: one of them waits. */
const ASKED = 20_000;

/** Long jobs are started at once, so that there is something to see. */
const AT_ONCE = ["video-transcode", "search-index", "nightly-report"];

/** Continues the week in real time until Ctrl-C. Calls `report` with lines for the user. */
export async function goOn({ file, seed, days, end }: WeekOptions, report: (line: string) => void): Promise<void> {
  const store = { type: "sqlite", args: { file } };
  await using manager = await openJobManager({ chJobs: store, chLocks: store });
  await using scheduler = openScheduler(manager, { instance: "live" });
  const times = { ...timesOf(end, days), end: Number.POSITIVE_INFINITY };
  for (const { name, definition, live, body } of fleetOf(timesOf(end, days))) {
    await scheduler.add(name, live ?? definition, (run) => body(new Work(run, systemClock, seed, times)));
  }
  const cockpit = await openCockpit(manager, scheduler);
  const stop = new AbortController();
  const asking = askForReports(manager, stop.signal);
  await using queues = openQueues(manager);
  const sending = sendMails(queues, stop.signal);
  const starting = AT_ONCE.map((name) =>
    scheduler.runNow(name, { reason: "to have something to look at", author: "the demo" }).catch(() => undefined),
  );
  if (cockpit !== undefined) report(`The UI: ${cockpit.url}`);
  report("It continues in real time. Ctrl-C ends it.");
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  report("ending …");
  stop.abort();
  await cockpit?.close();
  await scheduler.close({ grace: 1_000 });
  await Promise.all([asking, sending, ...starting]);
  await queues.close({ grace: 1_000 });
}

/** Two people at a time request a report that only one run at a time may write. */
async function askForReports(manager: JobManager, signal: AbortSignal): Promise<void> {
  const ask = (trigger: string): Promise<unknown> =>
    manager
      .run(
        "report-on-demand",
        async (run) => {
          for (let page = 1; page <= 8 && !run.signal.aborted; page++) {
            run.progress(page, 8, "pages");
            run.log.info(`page ${page}`);
            await rest(1_000, run.signal);
          }
          return { pages: 8 };
        },
        { wait: 60_000, trigger, signal },
      )
      // The demo ends while it waits or runs.
      .catch(() => undefined);
  while (!signal.aborted) {
    await Promise.all([ask("asked for by ana"), ask("asked for by ben")]);
    await rest(ASKED, signal);
  }
}

/** Resolves after `ms`, or once `signal` fires, or at once if it has fired. */
async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal }).catch(() => undefined);
}
