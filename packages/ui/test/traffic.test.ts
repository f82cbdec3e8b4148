/**
 * What a page that stays open transfers: less than 200 KB in 30 s, with a run each second. The page reads
 * what changed once in 2 s, which live.test.ts checks: 45 answers at most. No time is measured here.
 * @module-tag full
 */
import { expect, it } from "vitest";
import { describePages } from "./support/describe-pages.js";

const HOUR = 3_600_000;

/** How many jobs the store has, how many of them fail, and how many run while the page is open. */
const JOBS = 200;
const FAILING = 22;
const RUNS = 5;

/** The most bytes of the stream for each run, and of each answer that is read, with their headers. */
const OF_RUN = 1_000;
const OF_READ = 3_500;

const fails = (): Promise<never> => Promise.reject(new Error("connect ECONNREFUSED 10.0.3.17:5432"));

describePages("a page that stays open", (pages) => {
  it.each(["", "jobs"])("transfers little for each run and for each read, of 200 jobs: /%s", async (path) => {
    const { mount } = pages;
    for (let i = 0; i < JOBS; i++) await mount.scheduler.add(`job-${i}`, { every: HOUR }, () => {});
    for (let i = 0; i < FAILING; i++) await mount.manager.run(`job-${i}`, fails).catch(() => {});
    const page = await pages.open(path);
    let reads = 0;
    page.on("request", (request) => {
      if (request.url().includes("/api/v1/")) reads++;
    });
    const before = mount.bytes;
    const links = page.locator("main a.to-run");
    for (let i = 100; i < 100 + RUNS; i++) {
      const run = await mount.manager.start(`job-${i}`);
      const link = links.and(page.locator(`[href$="${encodeURIComponent(run.id)}"]`));
      await link.filter({ hasText: path === "" ? /,/ : "Running" }).waitFor();
      await run.end();
      await (path === "" ? link.waitFor({ state: "detached" }) : link.filter({ hasText: "Completed" }).waitFor());
    }
    const bytes = mount.bytes - before;
    expect(bytes, `${reads} reads`).toBeLessThan(RUNS * OF_RUN + reads * OF_READ);
    // Otherwise the test would count nothing.
    expect(bytes).toBeGreaterThan(RUNS * 100);
  });
});
