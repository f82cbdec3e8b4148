import type { DemoJob } from "./job.js";

const MINUTE = 60_000;

/** Jobs that keep things in order. */
export const upkeep: readonly DemoJob[] = [
  {
    name: "metrics-rollup",
    definition: {
      cron: "2 * * * *",
      missed: { run: "all", max: 12 },
      blackout: [{ cron: "0 12 * * *", duration: 120 * MINUTE, reason: "peak hours of the shop" }],
    },
    async body(work) {
      await work.about(50_000);
      return { series: work.dice.between(8_000, 9_000) };
    },
  },
  {
    name: "thumbnails",
    definition: { cron: "*/30 * * * *", jitter: MINUTE },
    async body(work) {
      const { run, dice } = work;
      if (dice.percent(30)) return run.skip("no new pictures");
      const pictures = dice.between(3, 12);
      await work.each(pictures, 6_000, "pictures");
      return { pictures };
    },
  },
  {
    name: "sitemap",
    definition: { cron: "40 */6 * * *" },
    async body(work) {
      await work.about(3 * MINUTE);
      return { urls: work.dice.between(51_000, 52_000) };
    },
  },
  {
    name: "log-rotate",
    definition: { cron: "@daily" },
    async body(work) {
      await work.about(20_000);
      work.run.log.info("14 files are rotated");
    },
  },
  {
    name: "archive-tables",
    definition: { cron: "0 1 * * *", timeout: 240 * MINUTE, meta: { team: "platform" } },
    async body(work) {
      await work.each(30, 2 * MINUTE, "tables", (n) => work.run.log.info(`table ${n} is archived`));
    },
  },
  {
    name: "payroll-export",
    definition: { cron: "0 18 * * FRI", timeZone: "Europe/Lisbon", meta: { team: "finance" } },
    async body(work) {
      await work.about(6 * MINUTE);
      return { employees: 212 };
    },
  },
];

/** A job in a time zone whose clocks are changed in the week, in the hour that comes twice or not at all. */
export function partnerFeed(timeZone: string): DemoJob {
  return {
    name: "partner-feed",
    definition: { cron: "*/30 0-3 * * *", timeZone, meta: { clocks: "are changed this week" } },
    async body(work) {
      await work.about(2 * MINUTE);
      work.run.log.info("the feed of the partner is read");
    },
  };
}
