/**
 * A list of several pages keeps its place.
 * @module-tag full
 */
import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { describePages } from "./support/describe-pages.js";

/** A page of the list of runs has 50. */
const RUNS = 130;

describePages("a list of several pages", (pages) => {
  /** Sorted: runs that start in the same ms are ordered by name. */
  const names = async (page: Page): Promise<string[]> =>
    (await page.locator("main table.runs tbody th a.name").allTextContents()).toSorted();

  const expected = (last: number): string[] => Array.from({ length: last }, (_, i) => `job ${i + 1}`).toSorted();

  const run = async (from: number, to: number): Promise<void> => {
    for (let i = from; i <= to; i++) await pages.mount.manager.run(`job ${i}`, () => {});
  };

  const showAll = async (page: Page): Promise<void> => {
    const more = page.getByRole("button", { name: "Show more" });
    for (const rows of [100, RUNS]) {
      await more.click();
      await expect.poll(async () => (await names(page)).length).toBe(rows);
    }
    await more.waitFor({ state: "detached" });
  };

  it("has each row once, even while rows come", async () => {
    await run(1, RUNS);
    const page = await pages.open("runs");
    await showAll(page);
    expect(await names(page)).toEqual(expected(RUNS));
    // Under the pointer, rows would stay in place.
    await page.mouse.move(0, 0);
    await run(RUNS + 1, RUNS + 15);
    await expect.poll(() => names(page)).toEqual(expected(RUNS + 15));
  });

  it("is where it was after going back, and after a reload", async () => {
    await run(1, RUNS);
    const page = await pages.open("runs");
    await showAll(page);
    const row = page.getByRole("link", { name: "job 20", exact: true });
    await row.scrollIntoViewIfNeeded();
    const before = await row.boundingBox();
    await row.click();
    await page.getByRole("heading", { name: "job 20", level: 1 }).waitFor();
    expect(await page.evaluate("scrollY")).toBe(0);
    await page.goBack();
    await expect.poll(() => row.boundingBox()).toEqual(before);
    await page.reload();
    await expect.poll(() => row.boundingBox()).toEqual(before);
    await page.goForward();
    await page.getByRole("heading", { name: "job 20", level: 1 }).waitFor();
    await expect.poll(() => page.evaluate("scrollY")).toBe(0);
  });

  it("begins at its top when it is opened by a link", async () => {
    await run(1, RUNS);
    const page = await pages.open("runs");
    await showAll(page);
    await page.evaluate("scrollTo(0, 2000)");
    expect(await page.evaluate("scrollY")).toBe(2_000);
    for (const name of ["Jobs", "Runs"]) await page.getByRole("link", { name, exact: true }).click();
    await page.getByRole("heading", { name: "Runs", level: 1 }).waitFor();
    await expect.poll(async () => [(await names(page)).length, await page.evaluate("scrollY")]).toEqual([50, 0]);
  });

  it("leaves a reader alone who scrolls before it is where it was", async () => {
    await run(1, RUNS);
    const page = await pages.open("runs");
    await showAll(page);
    await page.evaluate("scrollTo(0, 3000)");
    // Two entries of the history, whose scroll positions are stored when they are left.
    for (const name of ["Jobs", "Locks"]) {
      await page.getByRole("link", { name, exact: true }).click();
      await page.getByRole("heading", { level: 1, name: name === "Locks" ? "Locks and processes" : name }).waitFor();
    }
    // Both in one frame: neither must continue forever.
    await page.evaluate("history.back(), history.back()");
    await page.getByRole("heading", { name: "Runs", level: 1 }).waitFor();
    await expect.poll(() => page.evaluate("scrollY")).toBe(3_000);
    await page.keyboard.press("Shift");
    await page.evaluate("scrollTo(0, 500)");
    await run(RUNS + 1, RUNS + 1);
    await expect.poll(() => names(page)).toEqual(expected(RUNS + 1));
    await page.evaluate("document.body.style.paddingBottom = '400px'");
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
    expect(await page.evaluate("scrollY")).toBeLessThan(1_000);
  });

  it("has as many pages as it had at each place of the history", async () => {
    await run(1, RUNS);
    const page = await pages.open("runs");
    await showAll(page);
    await page.getByRole("link", { name: "Jobs", exact: true }).click();
    await page.getByRole("heading", { name: "Jobs", level: 1 }).waitFor();
    await page.getByRole("link", { name: "Runs", exact: true }).click();
    await expect.poll(async () => (await names(page)).length).toBe(50);
    await page.evaluate("history.go(-2)");
    await expect.poll(async () => (await names(page)).length).toBe(RUNS);
  });
});
