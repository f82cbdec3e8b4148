/**
 * The page of a job in a browser. What it shows is tested in src/view.
 * @module-tag full
 */
import { beforeEach, expect, it } from "vitest";
import { violationsOf } from "./support/browser.js";
import { describePages } from "./support/describe-pages.js";

const HOUR = 3_600_000;

describePages("a job and how it goes", (pages) => {
  beforeEach(async () => {
    await pages.mount.runAgo("backup", 9 * HOUR, { until: 5 * HOUR });
  });

  it("shows its last run with its end, and a run in progress with how long it runs", async () => {
    const page = await pages.open("jobs");
    const row = page.getByRole("row", { name: /\bbackup/ });
    await row.getByRole("link", { name: /^Completed 5 h ago$/ }).waitFor();
    const run = await pages.mount.manager.start("backup");
    await row.getByRole("link", { name: /^Running for \d+ s$/ }).waitFor();
    await run.end();
    await row.getByRole("link", { name: /^Completed (now|\d+ s ago)/ }).waitFor();
  });

  it("is shown as held, by whom and why, even without a schedule", async () => {
    await pages.mount.manager.hold("backup", { reason: "the disk is replaced", author: "ana" });
    const page = await pages.open("jobs");
    const row = page.getByRole("row", { name: /\bbackup/ });
    await row.getByText("by ana: the disk is replaced").waitFor();
    await pages.mount.manager.unlock("backup", { reason: "it is replaced" });
    await row.getByText("by ana: the disk is replaced").waitFor({ state: "detached" });
  });

  it("that became slower is found with one click, and its page has its runs, failed ones too, each as a link", async () => {
    const DAY = 24 * HOUR;
    const { manager, scheduler } = pages.mount;
    for (let day = 13; day >= 0; day--) {
      const began = day * DAY + 10 * HOUR;
      await pages.mount.runAgo("a steady one", began, { until: began - 0.1 * HOUR });
      await pages.mount.runAgo("search-index", began, { until: began - (day < 7 ? 0.4 : 0.1) * HOUR });
    }
    await manager.run("search-index", () => Promise.reject(new Error("the disk is full"))).catch(() => {});
    await manager.hold("search-index", { reason: "the disk is replaced", author: "ana" });
    await scheduler.add("search-index", { cron: "0 2 * * *" }, () => {});
    const page = await pages.open("jobs");
    const rows = page.getByRole("row").filter({ has: page.getByRole("rowheader") });
    await rows.filter({ hasText: "search-index" }).getByText("4.0×").waitFor();
    await page.getByRole("button", { name: "Trend" }).click();
    await expect
      .poll(async () => (await rows.allTextContents()).map((text) => text.slice(0, 6)))
      .toEqual(["search", "a stea", "backup"]);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      expect(await violationsOf(page), `jobs ${colorScheme}`).toEqual([]);
    }
    const slow = page.getByRole("button", { name: "Slow", exact: true });
    await slow.click();
    await expect.poll(() => rows.count()).toBe(1);
    await slow.click();
    await page.getByRole("searchbox", { name: "Host" }).fill("elsewhere");
    await page.getByText("No job ran on a host “elsewhere”").waitFor();
    await page.getByRole("searchbox", { name: "Host" }).fill("");
    await expect.poll(() => rows.count()).toBe(3);
    await page.getByRole("img", { name: /^Last 15 runs: 14 completed, 1 failed; the longest 24 min/ }).waitFor();
    await rows.first().getByRole("link", { name: "search-index" }).click();
    const course = page.getByRole("region", { name: "Runs over time" });
    await course.getByRole("list", { name: "What changed" }).getByText("ana: the disk is replaced").waitFor();
    await course.getByText("New definition").waitFor();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      expect(await violationsOf(page), `job ${colorScheme}`).toEqual([]);
    }
    const failed = course.getByRole("link", { name: /^Failed, / });
    await failed.focus();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    await page.getByText("the disk is full").first().waitFor();
  });

  it("shows the end of its last run on its page", async () => {
    const page = await pages.open("jobs/backup");
    const facts = page.locator(".facts");
    await facts.getByText("Last success").waitFor();
    expect(await facts.locator("div").allTextContents()).toEqual(
      expect.arrayContaining(["Last ended5 h ago", "Last success5 h ago"]),
    );
  });
});
