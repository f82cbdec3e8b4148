import { type DemoJob, red } from "./job.js";

const MINUTE = 60_000;

/** Jobs that poll for work all the time. */
export const polling: readonly DemoJob[] = [
  {
    name: "orders-poll",
    definition: { every: MINUTE, timeout: 2 * MINUTE, missed: { run: "latest", downtime: false } },
    live: { every: 6_000, timeout: 2 * MINUTE, missed: { run: "latest", downtime: false } },
    async body(work) {
      const { run, dice } = work;
      await work.about(2_600);
      if (!dice.percent(25)) return { orders: 0 };
      const orders = dice.between(1, 7);
      run.log.info(`${orders} new orders`, { source: "shop" });
      return { orders };
    },
  },
  {
    name: "mail-queue",
    definition: { cron: "*/5 * * * *", timeout: 4 * MINUTE, missed: "none" },
    live: { every: 8_000, timeout: 4 * MINUTE, missed: "none" },
    async body(work) {
      const { run, dice } = work;
      await work.about(1_200);
      if (dice.percent(60)) return run.skip("no mail is waiting");
      await work.about(5_000);
      if (dice.percent(1)) {
        run.log.error(`${red("421")} too many connections from this host`);
        throw new Error("smtp.example.com: 421 4.7.0 try again later");
      }
      return { sent: dice.between(1, 30) };
    },
  },
  {
    name: "stock-sync",
    definition: { every: 10 * MINUTE, timeout: 20 * MINUTE, overlap: "skip", meta: { warehouse: "LIS-1" } },
    live: { every: 20_000, timeout: 20 * MINUTE, overlap: "skip", meta: { warehouse: "LIS-1" } },
    async body(work) {
      const { run, dice } = work;
      // The warehouse counts: the ticks meanwhile are skipped.
      const isCount = dice.percent(2);
      if (isCount) run.log.warn("the warehouse counts its stock: this takes longer");
      await work.each(6, isCount ? 3 * MINUTE : 4_000, "shelves");
      return { changed: dice.between(0, 220) };
    },
  },
  {
    name: "price-feed",
    definition: { every: 15 * MINUTE, overlap: "queue", timeout: 30 * MINUTE },
    live: { every: 15_000, overlap: "queue", timeout: 30 * MINUTE },
    async body(work) {
      const { run, dice } = work;
      const feeds = dice.between(2, 5);
      await work.each(feeds, dice.percent(4) ? 6 * MINUTE : 5_000, "feeds", (n) => run.log.debug(`feed ${n} is read`));
      return { feeds };
    },
  },
  {
    name: "cache-warm",
    definition: { cron: "*/30 * * * *", overlap: "replace", timeout: 60 * MINUTE },
    async body(work) {
      await work.each(20, work.dice.percent(5) ? 2 * MINUTE : 7_000, "pages");
    },
  },
  {
    name: "webhook-delivery",
    definition: { every: 15 * MINUTE, timeout: 3 * MINUTE, retry: { attempts: 3, delay: 20_000, backoff: "fixed" } },
    live: { every: 10_000, timeout: 3 * MINUTE, retry: { attempts: 3, delay: 4_000, backoff: "fixed" } },
    async body(work) {
      const { run, dice } = work;
      await work.about(2_500);
      const to = dice.pick(["acme", "globex", "initech", "umbrella"]);
      run.log.info(`POST https://hooks.${to}.example/orders`);
      if (dice.percent(15)) {
        run.log.warn(`${to} answered 503`);
        throw new Error(`https://hooks.${to}.example/orders answered 503`);
      }
      return { to, status: 200 };
    },
  },
];
