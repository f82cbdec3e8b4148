/**
 * Clicked elements stay in place under load.
 * @module-tag full
 */
import type { Run } from "@ojm/core";
import type { Locator, Page } from "playwright-core";
import { beforeEach, expect, it } from "vitest";
import { violationsOf } from "./support/browser.js";
import { describePages } from "./support/describe-pages.js";

describePages("what is clicked on", (pages) => {
  beforeEach(async () => {
    await pages.mount.scheduler.add("import", { cron: "0 2 * * *" }, () => {});
    await pages.mount.manager.run("import", () => {});
  });

  /** The actions of the page, each with its place. */
  const acts = (page: Page): Promise<string[]> =>
    page.locator(".head .end .button").evaluateAll((buttons) =>
      buttons.map((button) => {
        const { x, y } = button.getBoundingClientRect();
        return `${button.textContent} at ${x}, ${y}`;
      }),
    );
  const top = async (of: Locator): Promise<number | undefined> => (await of.boundingBox())?.y;
  /** Waits until an action is possible, or is not. */
  const can = (page: Page, act: string, does: boolean): Promise<void> =>
    page.locator(".head").getByRole("button", { name: act, disabled: !does }).waitFor();

  it.each([1440, 320])("keeps its place on the page of a job while its runs begin and end, at %i px", async (width) => {
    const page = await pages.open("jobs/import", width);
    await can(page, "Cancel run", false);
    const places = await acts(page);
    expect(places.map((place) => place.replace(/ at .*/, ""))).toEqual([
      "Run now",
      "Pause schedule",
      "Backfill",
      "Hold",
      "Cancel run",
      "Force unlock",
    ]);
    const runs = page.getByRole("region", { name: "Runs", exact: true });
    const tops: (number | undefined)[] = [];
    for (let i = 0; i < 2; i++) {
      const run = await pages.mount.manager.start("import");
      await can(page, "Force unlock", true);
      await page.getByRole("heading", { name: "What it is doing now" }).waitFor();
      await page.locator(".reasons").getByText("it runs now").waitFor();
      expect(await acts(page)).toEqual(places);
      tops.push(await top(runs));
      await run.end();
      await can(page, "Force unlock", false);
      await page.getByRole("heading", { name: "Last and next" }).waitFor();
      await page.locator(".reasons").getByText("nothing keeps it").waitFor();
      expect(await acts(page)).toEqual(places);
      tops.push(await top(runs));
    }
    expect(new Set(tops.slice(1)).size).toBe(1);
    expect(await violationsOf(page)).toEqual([]);
  });

  it("says why an action is not possible now, and does nothing then", async () => {
    const page = await pages.open("jobs/import");
    const cancel = page.getByRole("button", { name: "Cancel run", disabled: true });
    expect(await cancel.getAttribute("title")).toBe("Nothing is running.");
    await cancel.focus();
    await page.keyboard.press("Enter");
    await cancel.click({ force: true });
    expect(await page.getByRole("dialog").count()).toBe(0);
    await page.keyboard.press("Control+k");
    await page.getByRole("option", { name: "Hold: import" }).waitFor();
    expect(await page.getByRole("option", { name: "Cancel run: import" }).count()).toBe(0);
  });

  it("keeps its place on the page of why a job does not run while its runs begin and end", async () => {
    const page = await pages.open("jobs/import/why");
    const button = page.getByRole("button", { name: "Run now" });
    const tops: (number | undefined)[] = [];
    for (let i = 0; i < 2; i++) {
      await page.locator(".reasons").getByText("nothing keeps it").waitFor();
      tops.push(await top(button));
      const run = await pages.mount.manager.start("import");
      await page.locator(".reasons").getByText("it runs now").waitFor();
      tops.push(await top(button));
      await run.end();
    }
    expect(new Set(tops.slice(1)).size).toBe(1);
  });

  it("keeps its place on the page of a run that ends", async () => {
    const run = await pages.mount.manager.start("import");
    const page = await pages.open(`runs/${encodeURIComponent(run.id)}`);
    await can(page, "Cancel run", true);
    const places = await acts(page);
    await run.end();
    await can(page, "Cancel run", false);
    expect(await acts(page)).toEqual(places);
  });

  it.each(["locks", "what runs now"])("keeps its place in the list of %s while the pointer is there", async (list) => {
    const started: Run[] = [];
    for (const name of ["a-first", "b-second"]) started.push(await pages.mount.manager.start(name));
    const page = await pages.open(list === "locks" ? "locks" : "");
    const section = page.getByRole("region", { name: list === "locks" ? "Locks" : "Running", exact: true });
    const button = section.getByRole("button", { name: "Actions of b-second" });
    await button.hover();
    const before = await top(button);
    await started[0]?.end();
    const ended = section.locator("[data-gone]");
    await ended.getByRole("link", { name: "a-first" }).waitFor();
    expect(await top(button)).toBe(before);
    expect(await violationsOf(page)).toEqual([]);
    await ended.getByRole("button", { name: "Actions of a-first" }).click();
    await page.getByRole("menuitem", { name: "Force unlock", disabled: true }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("heading", { level: 1 }).click();
    await section.getByText("a-first").waitFor({ state: "detached" });
    await started[1]?.end();
  });
});
