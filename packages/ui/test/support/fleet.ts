import type { Run } from "@ojm/core";
import { openQueues } from "@ojm/queue";
import { openScheduler } from "@ojm/schedule";
import { addDead } from "../../src/testing/test-ui.js";
import type { Cockpit } from "./pages.js";

/** Runs and schedules of each kind, in a store. */
export interface Fleet {
  /** A running run that has written some lines. */
  readonly running: Run;
  /** The id of a run that failed. */
  readonly failed: string;
  /** The id of a dead letter of the queue `mail`. */
  readonly item: string;
}

/** Fills a store. The runs are real, and none waits for a time. */
export async function seed({ manager, scheduler }: Cockpit): Promise<Fleet> {
  await scheduler.add("nightly", { cron: "0 2 * * *", timeZone: "Europe/Lisbon" }, async () => {});
  await scheduler.add("partners", { every: 3_600_000 }, async () => {});
  await scheduler.pause("partners", { reason: "the partner moves its server" });
  for (let i = 0; i < 3; i++) {
    await manager.run("backup", async ({ log }) => {
      log.info(`copied \u001b[32m${i} files\u001b[0m`);
      return { files: i };
    });
  }
  const failing = manager.run("backup", async ({ log }) => {
    log.warn("slow query");
    log.error("no connection to db-2");
    throw new Error("too many connections for role backup");
  });
  await failing.catch(() => {});
  let failed = "";
  for await (const { id } of manager.history({ name: "backup", limit: 1 })) failed = id;
  const running = await manager.start("import", { timeout: 3_600_000 });
  for (let line = 1; line <= 40; line++) running.log.info(`row ${line} of the file`);
  running.progress(40, 100, "reading rows");
  const [item = ""] = await addDead(manager, "mail", ["no route to mx1", "no route to mx2", "the mailbox is full"]);
  await using queues = openQueues(manager);
  await queues.add("mail", { to: "ana" }, { group: "shop", delay: "1h" });
  await queues.add("mail", { to: "bo" });
  await queues.pause("mail", { reason: "the mail server moves", author: "ana" });
  return { running, failed, item };
}

/** Adds schedules whose last process died an hour ago, so that a tick of each minute is overdue. */
export async function leftAlone({ manager }: Cockpit, names: readonly string[]): Promise<void> {
  const gone = openScheduler(manager);
  for (const name of names) await gone.add(name, { cron: "* * * * *" }, async () => {});
  await gone.close();
  const channel = await manager.channel<{ readonly at: number }>("oJobManager-schedules");
  for (const name of names) await channel.set(["cursor", name], { at: Date.now() - 3_600_000 });
}
