/**
 * Pages below another address, behind a proxy.
 * @module-tag full
 */
import type { Locator, Page } from "playwright-core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openUiServer } from "../src/serve-ui.js";
import { proxy } from "../src/testing/mounts.js";
import { typeReason, violationsOf, watch } from "./support/browser.js";
import { describePages } from "./support/describe-pages.js";

describePages("pages that are mounted", (pages) => {
  let faults: string[];

  beforeEach(async () => {
    faults = [];
  });

  afterEach(async () => {
    expect(faults).toEqual([]);
  });

  const open = async (url: string, base = url): Promise<Page> => {
    const page = await pages.context.newPage();
    watch(page, new URL(base), faults);
    await page.goto(url);
    return page;
  };

  const live = (page: Page): Promise<void> => page.getByText("Live", { exact: true }).waitFor();

  it.each([
    ["strips it", true],
    ["leaves it", false],
  ])("work below /a/b/ behind a proxy that %s: links, streams, acts, and nothing elsewhere", async (_, strips) => {
    const { manager, scheduler } = pages.mount;
    await scheduler.add("nightly", { cron: "0 2 * * *" }, () => {});
    const served = await openUiServer({ manager, scheduler, basePath: "/a/b" });
    const front = await proxy(`http://127.0.0.1:${served.port}`, { strips });
    try {
      const base = `${front.url}/a/b/`;
      const page = await open(`${base}${new URL(served.url).hash}`, base);
      await live(page);
      expect(page.url()).toBe(base);
      const run = await manager.start("just-now");
      await page
        .getByRole("region", { name: "Running" })
        .getByRole("link", { name: /its run$/ })
        .click();
      await page.getByRole("heading", { name: "just-now", level: 1 }).waitFor();
      expect(page.url()).toBe(`${base}runs/${encodeURIComponent(run.id)}`);
      await run.end();
      await page.goto(`${base}jobs/nightly/why`);
      await page.getByRole("heading", { name: "Why is nightly not running?", level: 1 }).waitFor();
      await page.getByRole("link", { name: "The job" }).click();
      await page.getByRole("button", { name: "Pause schedule" }).first().click();
      const dialog = page.getByRole("dialog", { name: "Pause nightly" });
      await dialog.waitFor();
      await typeReason(page, "the proxy moves");
      await dialog.getByRole("button", { name: "Pause schedule" }).click();
      await page.getByRole("button", { name: "Resume schedule" }).first().waitFor();
      await page.goto(`${base}timeline`);
      await page.getByRole("heading", { name: "Timeline", level: 1 }).waitFor();
    } finally {
      await front.close();
      await served.close();
    }
  });

  it("keep what they show when their server restarts, and continue once another tab has signed in", async () => {
    const { manager } = pages.mount;
    await manager.run("import", () => {});
    // Without a secret, each server has its own host name. A page opened by IP address continues.
    const byAddress = (url: string): string => url.replace(/^http:\/\/[^:/]+/, "http://127.0.0.1");
    const first = await openUiServer({ manager });
    const page = await open(byAddress(first.url), new URL("/", byAddress(first.url)).href);
    await live(page);
    await page.goto(new URL("jobs", byAddress(first.url)).href);
    const row = page.getByRole("row", { name: /\bimport/ });
    await row.waitFor();
    await first.close();
    const second = await openUiServer({ manager, port: first.port });
    try {
      await page.getByText("You are signed out.").waitFor();
      expect(await row.isVisible()).toBe(true);
      expect(await violationsOf(page)).toEqual([]);
      const other = await open(byAddress(second.url), new URL("/", byAddress(second.url)).href);
      await live(other);
      await live(page);
      await page.getByText("You are signed out.").waitFor({ state: "detached" });
      await manager.run("later", () => {});
      await page.getByRole("row", { name: /\blater/ }).waitFor();
    } finally {
      await second.close();
    }
  });

  it("share one stream in ten tabs, and it stays until the last one is closed", async () => {
    const tabs = await Promise.all(Array.from({ length: 10 }, () => open(pages.mount.url)));
    for (const page of tabs) await live(page);
    expect([pages.mount.streams, pages.mount.opened]).toEqual([1, 1]);
    const run = await pages.mount.manager.start("for-all");
    for (const page of tabs) await page.getByRole("link", { name: "for-all" }).waitFor();
    const [last, ...others] = tabs;
    for (const page of others) await page.close();
    await run.end();
    await last?.getByText("Nothing is running").waitFor();
    expect([pages.mount.streams, pages.mount.opened]).toEqual([1, 1]);
    await last?.close();
    await expect.poll(() => pages.mount.streams).toBe(0);
  });

  it("have four pictures: loading, empty, stale, and the store that is away", async () => {
    const page = await pages.context.newPage();
    watch(page, new URL(pages.mount.url), faults);
    const empty = (text: string): Locator => page.getByText(text, { exact: true });
    let answer = (): void => {};
    const asked = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route("**/api/v1/now", async (route) => {
      await asked;
      await route.continue();
    });
    // A page that is opened directly comes with its answer: see first.test.
    await page.goto(`${pages.mount.url}locks`);
    await page.getByRole("link", { name: /^Now/ }).click();
    await page.getByRole("main").getByText("Loading").waitFor();
    expect(await empty("This store is empty").count()).toBe(0);
    answer();
    await empty("This store is empty").waitFor();
    await page.getByRole("main").getByText("Loading").waitFor({ state: "detached" });

    pages.mount.isAway = true;
    await page.getByText(/reconnecting/).waitFor();
    await page.getByText("The store is not responding.").waitFor();
    expect(await empty("This store is empty").count()).toBe(1);

    const second = await open(`${pages.mount.url}jobs`, pages.mount.url);
    await second.getByRole("heading", { name: "The store is away" }).waitFor();
    expect(await second.getByText(/No job|Nothing/).count()).toBe(0);

    pages.mount.isAway = false;
    await page.getByText(/reconnecting/).waitFor({ state: "detached" });
    await second.getByRole("heading", { name: "The store is away" }).waitFor({ state: "detached" });
    await live(second);
  });
});
