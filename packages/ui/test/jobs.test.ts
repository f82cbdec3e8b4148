import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { contextOf, launch, whyNoPages } from "./support/browser.js";
import { Mount } from "./support/mount.js";

const missing = whyNoPages();

const HOUR = 3_600_000;

describe.skipIf(missing !== undefined)(`a job and how it goes${missing === undefined ? "" : `: ${missing}`}`, () => {
  let browser: Browser;
  let context: BrowserContext;
  let mount: Mount;

  beforeAll(async () => {
    browser = await launch();
  });

  afterAll(() => browser?.close());

  beforeEach(async () => {
    [context, mount] = await Promise.all([contextOf(browser), Mount.open()]);
    await mount.runAgo("backup", 9 * HOUR, { until: 5 * HOUR });
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

  it("tells its last run with its end, and a run that goes on with how long it runs", async () => {
    const page = await open("jobs");
    const row = page.getByRole("row", { name: /^backup/ });
    await row.getByRole("link", { name: /^Completed 5 h ago$/ }).waitFor();
    const run = await mount.manager.start("backup");
    await row.getByRole("link", { name: /^Running for \d+ s$/ }).waitFor();
    await run.end();
    await row.getByRole("link", { name: /^Completed (now|\d+ s ago)/ }).waitFor();
  });

  it("is told to be held, by whom and why, also without a schedule", async () => {
    await mount.manager.hold("backup", { reason: "the disk is replaced", author: "ana" });
    const page = await open("jobs");
    const row = page.getByRole("row", { name: /^backup/ });
    await row.getByText("by ana: the disk is replaced").waitFor();
    await mount.manager.unlock("backup", { reason: "it is replaced" });
    await row.getByText("by ana: the disk is replaced").waitFor({ state: "detached" });
  });

  it("tells the end of its last run on its page", async () => {
    const page = await open("jobs/backup");
    const facts = page.locator(".facts");
    await facts.getByText("Last completed").waitFor();
    expect(await facts.locator("div").allTextContents()).toEqual(
      expect.arrayContaining(["Last ended5 h ago", "Last completed5 h ago"]),
    );
  });
});
