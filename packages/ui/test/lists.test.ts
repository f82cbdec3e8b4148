/**
 * Lists in a browser: filters, Back, and rows that come. What they show is tested in src/view.
 * @module-tag full
 */
import type { Page } from "playwright-core";
import { beforeEach, expect, it } from "vitest";
import { violationsOf } from "./support/browser.js";
import { describePages } from "./support/describe-pages.js";

describePages("a list", (pages) => {
  beforeEach(async () => {
    const { manager } = pages.mount;
    await manager.run("backup", () => Promise.reject(new Error("no room"))).catch(() => {});
    for (const name of ["nightly/invoices", "backup"]) await manager.run(name, () => {});
  });

  const names = (page: Page): Promise<string[]> => page.locator("main table .name").allTextContents();
  const shows = (page: Page, ...all: string[]): Promise<void> =>
    expect.poll(async () => (await names(page)).sort()).toEqual(all);

  it("of runs or actions is narrowed to a part of a name, and offers a near one where nothing is called so", {
    tags: ["full"],
  }, async () => {
    await pages.mount.manager.hold("server-move", { reason: "the server moves", author: "ana" });
    const page = await pages.open("runs");
    const field = page.getByRole("searchbox", { name: "Find a job" });
    await field.fill("INVOICE");
    await shows(page, "nightly/invoices");
    await field.fill("invioces");
    await page.getByText("No run of a job called “invioces”").waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await page.getByRole("link", { name: "nightly/invoices" }).click();
    await shows(page, "nightly/invoices");
    expect(await field.inputValue()).toBe("nightly/invoices");
    await page.getByRole("button", { name: "Lost" }).click();
    await page.getByText("No run of a job called “nightly/invoices” with the state “Lost”").waitFor();
    await page.goto(`${pages.mount.url}audit`);
    await field.fill("move");
    await shows(page, "server-move");
    await field.fill("bakcup");
    await page.getByText("No actions on a job, or by a user, called “bakcup”").waitFor();
    await page.getByRole("link", { name: "backup" }).click();
    await page.getByText("No actions on a job, or by a user, called “backup”").waitFor();
    await page.goto(`${pages.mount.url}jobs?q=none`);
    await page.getByText("No job matches “none”").waitFor();
  });

  it("has runs whose page is called by the whole of an address without an @", async () => {
    const page = await pages.open("runs/nope");
    await page.getByRole("heading", { name: "nope", level: 1, exact: true }).waitFor();
  });

  it("is as it was before a filter after Back", async () => {
    const page = await pages.open("runs");
    await shows(page, "backup", "backup", "nightly/invoices");
    const search = (): string => new URL(page.url()).search;
    await page.getByRole("button", { name: "Failed" }).click();
    await shows(page, "backup");
    await page.getByLabel("From", { exact: true }).fill("2026-01-02T10:00");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await page.getByText("No run started in this time").waitFor();
    await page.goBack();
    await shows(page, "backup");
    expect(search()).toBe("?status=failed");
    await page.goBack();
    await shows(page, "backup", "backup", "nightly/invoices");
    expect(search()).toBe("");
    // The typed text is undone at once, not letter by letter, even while the field has the focus.
    const field = page.getByRole("searchbox", { name: "Find a job" });
    for (const text of ["b", "ba", "bac"]) {
      await field.fill(text);
      await expect.poll(search).toBe(`?q=${text}`);
    }
    await shows(page, "backup", "backup");
    await page.goBack();
    await shows(page, "backup", "backup", "nightly/invoices");
    expect([search(), await field.inputValue()]).toEqual(["", ""]);
  });

  it("of runs stays as it is under the pointer, and says how many runs are new", { tags: ["full"] }, async () => {
    const { manager } = pages.mount;
    const running = await manager.start("import");
    const page = await pages.open("runs");
    const rows = page.locator("main tbody tr");
    await expect.poll(() => rows.count()).toBe(4);
    const texts = (): Promise<string[]> =>
      page.locator("main tbody [data-row]").evaluateAll((all) => all.map((a) => a.getAttribute("href") ?? ""));
    const before = await texts();
    await rows.nth(1).hover();
    const y = (await rows.nth(1).boundingBox())?.y;
    for (let i = 0; i < 12; i++) await manager.run("each second", () => {});
    const button = page.getByRole("button", { name: "12 new runs" });
    await button.waitFor();
    expect(await texts()).toEqual(before);
    expect((await rows.nth(1).boundingBox())?.y).toBe(y);
    // The row still shows its current state.
    await running.end();
    await rows.first().getByText("Completed").waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await button.click();
    await expect.poll(() => rows.count()).toBe(16);
    await manager.run("each second", () => {});
    await page.getByRole("button", { name: "1 new run" }).waitFor();
    await page.getByRole("heading", { level: 1 }).click();
    await expect.poll(() => rows.count()).toBe(17);
  });
});
