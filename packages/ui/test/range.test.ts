/**
 * Typed ranges of time.
 * @module-tag full
 */
import type { Page } from "playwright-core";
import { beforeEach, expect, it } from "vitest";
import { violationsOf } from "./support/browser.js";
import { describePages } from "./support/describe-pages.js";

/** A zone whose clocks never change: an hour that occurs twice cannot be typed. */
const ZONE = "Asia/Tokyo";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A time in the format of a field, in its zone. */
const typed = (at: number): string => new Date(at + 9 * HOUR).toISOString().slice(0, 16).replace("T", " ");

describePages("a range of time", { zone: ZONE }, (pages) => {
  /** When the wanted run started, three days ago, and the hour of its start. */
  let began: number;
  let hour: number;

  beforeEach(async () => {
    began = await pages.mount.runAgo("import", 3 * DAY);
    hour = Math.floor(began / HOUR) * HOUR;
    await pages.mount.runAgo("import", 3 * DAY - 2 * HOUR);
    await pages.mount.manager.run("import", () => {});
  });

  /** Moves to a field with the Tab key. */
  const tabTo = async (page: Page, label: string): Promise<void> => {
    const field = page.getByLabel(label, { exact: true });
    await field.waitFor();
    for (let presses = 0; presses < 100; presses++) {
      if ((await field.and(page.locator(":focus")).count()) === 1) return;
      await page.keyboard.press("Tab");
    }
    throw new Error(`Tab does not reach ${label}`);
  };
  const rows = (page: Page): Promise<string[]> =>
    page
      .locator("table.runs [data-row]")
      .evaluateAll((links) => links.map((link) => decodeURIComponent(link.getAttribute("href") ?? "")));
  const ids = (...all: number[]): string[] => all.map((at) => `runs/import@${new Date(at).toISOString()}`);

  it("of some days ago is found from the page of the job by keyboard alone, and has an address", async () => {
    const page = await pages.open("jobs/import");
    await expect.poll(async () => (await rows(page)).length).toBe(3);
    await tabTo(page, "From");
    await page.keyboard.type(typed(hour));
    await page.keyboard.press("Enter");
    await expect.poll(() => rows(page)).toEqual(ids(began));
    expect(new URL(page.url()).search).toBe(`?from=${hour}&to=${hour + HOUR}`);
    expect(await violationsOf(page)).toEqual([]);
    await page.reload();
    await expect.poll(() => rows(page)).toEqual(ids(began));
    await page.getByRole("button", { name: "Any time" }).focus();
    await page.keyboard.press("Enter");
    await expect.poll(async () => (await rows(page)).length).toBe(3);
  });

  it("narrows the ticks of a job as it does its runs", async () => {
    await pages.mount.scheduler.add("import", { cron: "0 0 1 1 *" }, () => {});
    const channel = await pages.mount.manager.channel("oJobManager-schedules");
    const by = { host: "h", pid: 1, instance: "i" };
    for (const at of [hour - DAY, hour]) {
      await channel.set(["tick", "import", at], {
        outcome: "skipped",
        reason: "paused",
        by,
        decided: at,
        revision: 1,
      });
    }
    const page = await pages.open("jobs/import");
    const ticks = page.getByRole("region", { name: "Ticks" });
    const times = (): Promise<string[]> =>
      ticks.locator("li .when time").evaluateAll((all) => all.map((time) => time.getAttribute("datetime") ?? ""));
    // The next three ticks, and the two decided ones.
    await expect.poll(async () => (await times()).length).toBe(5);
    await page.goto(`${pages.mount.url}jobs/import?from=${hour}&to=${hour + HOUR}`);
    await expect.poll(times).toEqual([new Date(hour).toISOString()]);
    await page.goto(`${pages.mount.url}jobs/import?from=${hour + HOUR}&to=${hour + 2 * HOUR}`);
    await ticks.getByText("No ticks are stored for this time").waitFor();
    await ticks.getByRole("link", { name: "Show this time on the timeline" }).waitFor();
    await page.getByRole("button", { name: "Any time" }).click();
    await expect.poll(async () => (await times()).length).toBe(5);
  });

  it("is shown on the timeline by the same fields, and by the link of a range in which no run of a job began", async () => {
    const page = await pages.open("timeline");
    await tabTo(page, "From");
    await page.keyboard.type(typed(hour));
    await page.keyboard.press("Enter");
    await expect.poll(() => new URL(page.url()).search).toBe(`?from=${hour}&to=${hour + HOUR}`);
    await page.getByRole("application").focus();
    await page.keyboard.press("ArrowLeft");
    await page
      .getByRole("status")
      .getByText(/^import, Completed/)
      .waitFor();
    await page.keyboard.press("Enter");
    await expect.poll(() => decodeURIComponent(page.url())).toContain(ids(began)[0]);
    await page.goto(`${pages.mount.url}jobs/import?from=${hour + HOUR}&to=${hour + 2 * HOUR}`);
    await page.getByText("No run started in this time").waitFor();
    await page.getByRole("link", { name: "Show this time on the timeline" }).click();
    await page.getByRole("heading", { name: "Timeline", level: 1 }).waitFor();
    expect(new URL(page.url()).search).toBe(`?q=import&from=${hour + HOUR}&to=${hour + 2 * HOUR}`);
  });

  it("is rejected if it ends before it begins, and ignored in an address if it is not a time", async () => {
    const page = await pages.open("runs?from=soon&to=1e99");
    await expect.poll(async () => (await rows(page)).length).toBe(3);
    const [from, to] = [page.getByLabel("From", { exact: true }), page.getByLabel("To", { exact: true })];
    await from.fill("2026-01-02 10:00");
    await to.fill("2026-01-02 09:00");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.validationMessage")).toMatch(/after the beginning/);
    expect(new URL(page.url()).searchParams.get("from")).toBe("soon");
    await to.fill("2026-01-02 11:00");
    await page.keyboard.press("Enter");
    await page.getByText("No run started in this time").waitFor();
  });
});
