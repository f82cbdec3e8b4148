import { cyan, type DemoJob, green, red, yellow } from "./job.js";

const MINUTE = 60_000;

const PARTS = ["orders", "refunds", "stock", "customers", "ledger"];

/** Jobs that run once a night. */
export const nightly: readonly DemoJob[] = [
  {
    name: "nightly-report",
    definition: { cron: "0 2 * * *", timeZone: "Europe/Lisbon", timeout: 45 * MINUTE, meta: { team: "finance" } },
    async body(work) {
      const { run, dice } = work;
      let rows = 0;
      for (const [i, part] of PARTS.entries()) {
        run.progress(i, PARTS.length, `reading ${part}`);
        run.log.info(`reading ${part}`);
        await work.about(2.4 * MINUTE);
        const read = dice.between(9_000, 48_000);
        rows += read;
        run.log.info(`${read} rows of ${part}`, { part, read });
      }
      if (dice.percent(20)) run.log.warn("3 refunds without an order: they are in the appendix");
      run.progress(PARTS.length, PARTS.length, "written");
      return { rows, pages: Math.ceil(rows / 4_000) };
    },
  },
  {
    name: "db-backup",
    definition: {
      cron: "30 1 * * *",
      timeout: 90 * MINUTE,
      retry: { attempts: 2, delay: 5 * MINUTE, onLost: true },
      meta: { team: "platform", target: "s3://backups/main" },
    },
    async body(work) {
      const { run, dice } = work;
      const gigabytes = dice.between(38, 44);
      run.log.write(`${cyan("pg_dump")} --format=custom --jobs=4 main\n`, "stdout");
      await work.each(gigabytes, 32_000, "GB dumped", (n) => {
        if (n % 8 === 0) run.log.write(`${green("✔")} ${n} of ${gigabytes} GB\n`, "stdout");
      });
      run.log.write(`${green("done")}: checksum 9f2c${dice.between(1_000, 9_999)}\n`, "stdout");
      return { gigabytes };
    },
  },
  {
    name: "warehouse-load",
    definition: { cron: "0 3 * * *", timeout: 40 * MINUTE, meta: { team: "data" } },
    async body(work) {
      const { run, times } = work;
      // The statistics of a table are stale, and the database takes a bad plan.
      const isSlow = (run.tick?.at ?? 0) >= times.slow;
      await work.each(24, isSlow ? 2.6 * MINUTE : 0.9 * MINUTE, "partitions loaded", (n) => {
        run.log.info(`partition ${n} is loaded`);
        if (isSlow) run.log.warn("sequential scan on fact_orders: 41,920,114 rows");
      });
      return { partitions: 24 };
    },
  },
  {
    name: "invoice-pdf",
    definition: {
      cron: "30 5 * * *",
      timeout: 30 * MINUTE,
      retry: { attempts: 3, delay: 4 * MINUTE, backoff: "exponential" },
      meta: { team: "finance" },
    },
    async body(work) {
      const { run, dice, times } = work;
      const invoices = dice.between(80, 140);
      run.log.info(`${invoices} invoices are due`);
      await work.about(40_000);
      if (work.now >= times.broken) {
        run.log.error(`${red("ERROR")} template invoice-de.hbs: unknown helper "currency"`);
        throw new Error("the invoices were not written: template invoice-de.hbs cannot be rendered", {
          cause: new TypeError('unknown helper "currency" in line 41'),
        });
      }
      await work.each(10, 25_000, "batches of invoices");
      return { invoices };
    },
  },
  {
    name: "data-quality",
    definition: { cron: "0 6 * * *", timeout: 20 * MINUTE, meta: { team: "data" } },
    async body(work) {
      const { run, dice } = work;
      for (const [i, part] of PARTS.entries()) {
        run.progress(i, PARTS.length, part);
        await work.about(50_000);
        run.log.write(`${green("PASS")} ${part}: no nulls, no doubles\n`, "stdout");
      }
      if (dice.percent(35)) {
        run.log.write(`${yellow("WARN")} ledger: 2 rows of yesterday came late\n`, "stderr");
        throw new Error("1 of 61 checks failed: ledger.freshness");
      }
      return { checks: 61 };
    },
  },
  {
    name: "gdpr-erase",
    definition: { cron: "15 3 * * *", meta: { team: "legal" } },
    async body(work) {
      await work.about(3 * MINUTE);
      work.run.log.info(`erased ${work.dice.between(0, 9)} accounts`);
    },
  },
  {
    name: "cert-check",
    definition: { cron: "0 7 * * *", jitter: 10 * MINUTE, meta: { team: "platform" } },
    async body(work) {
      await work.about(9_000);
      work.run.log.info("shop.example.com: 41 days left");
      work.run.log.warn("mail.example.com: 19 days left");
      return { certificates: 23 };
    },
  },
];
