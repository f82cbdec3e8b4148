import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { contextOf, launch, whyNoPages } from "./support/browser.js";
import { Mount } from "./support/mount.js";

const missing = whyNoPages();

describe.skipIf(missing !== undefined)(`a row of a list${missing === undefined ? "" : `: ${missing}`}`, () => {
  let browser: Browser;
  let context: BrowserContext;
  let mount: Mount;

  beforeAll(async () => {
    browser = await launch();
  });

  afterAll(() => browser?.close());

  beforeEach(async () => {
    [context, mount] = await Promise.all([contextOf(browser), Mount.open()]);
    await mount.scheduler.add("backup", { cron: "0 2 * * *" }, () => {});
    await mount.manager.run("backup", () => {});
  });

  afterEach(async () => {
    await context.close();
    await mount.close();
  });

  const open = async (path: string): Promise<Page> => {
    const page = await context.newPage();
    await page.goto(`${mount.url}${path}`);
    await page.getByText("Live", { exact: true }).waitFor();
    return page;
  };
  /** A cell without a link. */
  const cell = (page: Page): Locator => page.getByRole("row", { name: /^backup/ }).locator("td.wide-only");

  it("is the target of a click, and of no click that is for something in it", async () => {
    const page = await open("jobs");
    await page.getByRole("button", { name: "Actions of backup" }).click();
    await page.getByRole("menuitem", { name: "Hold" }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/jobs");
    await page.keyboard.press("Escape");
    await cell(page).click();
    await page.getByRole("heading", { name: "backup", level: 1 }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/jobs/backup");
  });

  it.each(["Control", "middle"] as const)("opens a new tab by a click with %s, as its link does", async (how) => {
    const page = await open("jobs");
    const tab = context.waitForEvent("page");
    await cell(page).click(how === "middle" ? { button: "middle" } : { modifiers: [how] });
    const opened = await tab;
    await opened.getByRole("heading", { name: "backup", level: 1 }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/jobs");
  });

  it("lets its text be selected", async () => {
    const page = await open("jobs");
    const text = page.getByRole("row", { name: /^backup/ }).getByText("At 02:00 (UTC)");
    const { x, y, height } = (await text.boundingBox()) ?? { x: 0, y: 0, height: 0 };
    await page.mouse.move(x + 1, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + 60, y + height / 2, { steps: 5 });
    await page.mouse.up();
    expect(await page.evaluate("getSelection().toString()")).toMatch(/^At 0/);
    expect(new URL(page.url()).pathname).toBe("/jobs");
  });
});
