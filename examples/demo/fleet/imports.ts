import { cyan, type DemoJob, green } from "./job.js";

const MINUTE = 60_000;

const CUSTOMERS = ["acme", "globex", "initech", "umbrella", "hooli"];

/** An error in the form of Node's network functions. */
function refused(host: string): Error {
  const cause = Object.assign(new Error(`connect ECONNREFUSED ${host}:5432`), { code: "ECONNREFUSED" });
  return new Error(`${host} cannot be reached`, { cause });
}

/** Jobs that fetch data, and try again when that fails. */
export const imports: readonly DemoJob[] = [
  {
    name: "customer-import",
    definition: { cron: "*/15 * * * *", timeout: 14 * MINUTE, retry: { attempts: 3, delay: 30_000 } },
    live: { every: 25_000, timeout: 14 * MINUTE, retry: { attempts: 3, delay: 5_000 } },
    async body(work) {
      const { run, dice } = work;
      const customer = dice.pick(CUSTOMERS);
      run.log.info(`reads the file of ${customer}`, { customer });
      await work.about(8_000);
      if (dice.percent(9)) throw refused("db-2.internal");
      const rows = dice.between(200, 9_000);
      await work.each(5, 6_000, `rows of ${customer}`, (n) => run.log.debug(`${Math.round((rows * n) / 5)} rows`));
      return { customer, rows };
    },
  },
  {
    name: "fx-rates",
    definition: { cron: "5 */4 * * *", retry: { attempts: 5, delay: MINUTE, maxDelay: 10 * MINUTE }, missed: "none" },
    async body(work) {
      await work.about(4_000);
      if (work.dice.percent(25)) throw new Error("the bank answered 502 Bad Gateway");
      work.run.log.info(`EUR/USD 1.${work.dice.between(1_500, 1_800)}`);
    },
  },
  {
    name: "crm-sync",
    definition: { cron: "*/30 8-18 * * MON-FRI", timeZone: "America/New_York", timeout: 25 * MINUTE },
    async body(work) {
      const { run, dice } = work;
      const contacts = dice.between(20, 400);
      await work.each(8, 22_000, "pages of contacts");
      run.log.info(`${contacts} contacts are the same on both sides`);
      return { contacts };
    },
  },
  {
    name: "video-transcode",
    definition: {
      cron: "10 */3 * * *",
      timeout: 150 * MINUTE,
      retry: { attempts: 3, delay: 2 * MINUTE, onLost: true },
      meta: { team: "media" },
    },
    async body(work) {
      const { run, dice } = work;
      const clips = dice.between(6, 14);
      await work.each(clips, 5 * MINUTE, "clips", (n) => {
        run.log.write(`${cyan("ffmpeg")} -i clip-${n}.mov -c:v libx265 clip-${n}.mp4\n`, "stderr");
        run.log.write(`${green(`clip-${n}.mp4`)} ${dice.between(20, 480)} MB\n`, "stdout");
      });
      return { clips };
    },
  },
  {
    name: "search-index",
    definition: { cron: "0 * * * *", timeout: 40 * MINUTE, meta: { team: "search" } },
    async body(work) {
      const { run, dice } = work;
      const documents = dice.between(40, 90) * 1_000;
      await work.each(16, 32_000, "segments");
      run.log.info(`${documents} documents are indexed`);
      return { documents };
    },
  },
  {
    name: "fraud-scan",
    definition: { cron: "*/30 * * * *", jitter: 45_000, timeout: 15 * MINUTE },
    async body(work) {
      await work.about(70_000);
      const found = work.dice.between(0, 3);
      if (found > 0) work.run.log.warn(`${found} orders look odd`);
      return { found };
    },
  },
];
