/**
 * A row of a list as a target of clicks.
 * @module-tag full
 */
import type { Locator, Page } from "playwright-core";
import { beforeEach, expect, it } from "vitest";
import { describePages } from "./support/describe-pages.js";

describePages("a row of a list", (pages) => {
  beforeEach(async () => {
    await pages.mount.scheduler.add("backup", { cron: "0 2 * * *" }, () => {});
    await pages.mount.manager.run("backup", () => {});
  });

  /** A cell without a link. */
  const cell = (page: Page): Locator => page.getByRole("row", { name: /\bbackup/ }).locator("td.wide-only");

  it("is the target of a click, and of no click that is for something in it", async () => {
    const page = await pages.open("jobs");
    await page.getByRole("button", { name: "Actions of backup" }).click();
    await page.getByRole("menuitem", { name: "Hold" }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/jobs");
    await page.keyboard.press("Escape");
    await cell(page).click();
    await page.getByRole("heading", { name: "backup", level: 1 }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/jobs/backup");
  });

  it.each(["Control", "middle"] as const)("opens a new tab by a click with %s, as its link does", async (how) => {
    const page = await pages.open("jobs");
    const tab = pages.context.waitForEvent("page");
    await cell(page).click(how === "middle" ? { button: "middle" } : { modifiers: [how] });
    const opened = await tab;
    await opened.getByRole("heading", { name: "backup", level: 1 }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/jobs");
  });

  it("leads to the job by the name, and to the run by a state, a time or a number, on every screen", async () => {
    const { manager } = pages.mount;
    const fails = (): Promise<never> => Promise.reject(new Error("no route"));
    await manager.run("failing", fails).catch(() => {});
    manager.run("tried", fails, { retry: { attempts: 3, delay: 3_600_000 } }).catch(() => {});
    await expect.poll(async () => (await manager.retries("tried")).length).toBe(1);
    const run = await manager.start("going");
    const next = manager.start("going", { wait: 3_600_000 });
    const counts: Record<string, number> = {};
    for (const [path, regions] of [
      ["", ["Problems", "Running", "Waiting for a lock", "Waiting for a retry", "Next 24 hours"]],
      ["jobs", []],
      ["runs", []],
      ["locks", ["Locks", "Schedulers"]],
    ] as const) {
      const page = await pages.open(path);
      for (const name of regions) await page.getByRole("region", { name, exact: true }).waitFor();
      await page.locator("main .name").first().waitFor();
      const hrefs = (css: string): Promise<string[]> =>
        page.locator(css).evaluateAll((links) => links.map((link) => link.getAttribute("href") ?? ""));
      expect(await hrefs("main a.name:not([href^='jobs/'])")).toEqual([]);
      expect(await hrefs("main a.to-run:not([href^='runs/'])")).toEqual([]);
      counts[path] = (await hrefs("main a.to-run")).length;
      await page.close();
    }
    // One failed, one running, one to be retried; four jobs; four runs; one lock of a run.
    expect(counts).toEqual({ "": 3, jobs: 4, runs: 4, locks: 1 });
    await run.end();
    await (await next).end();
  });

  it("lets its text be selected", async () => {
    const page = await pages.open("jobs");
    const text = page.getByRole("row", { name: /\bbackup/ }).getByText("At 02:00 (UTC)");
    const { x, y, height } = (await text.boundingBox()) ?? { x: 0, y: 0, height: 0 };
    await page.mouse.move(x + 1, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + 60, y + height / 2, { steps: 5 });
    await page.mouse.up();
    expect(await page.evaluate("getSelection().toString()")).toMatch(/^At 0/);
    expect(new URL(page.url()).pathname).toBe("/jobs");
  });
});
