/**
 * Times in the zones of jobs and users. The laws are tested in src/view and web/src/format.
 * @module-tag full
 */
import type { Page } from "playwright-core";
import { beforeEach, expect, it } from "vitest";
import { violationsOf } from "./support/browser.js";
import { describePages } from "./support/describe-pages.js";

const HOUR = 3_600_000;

/** The zone of the user, at a whole hour, whose clocks never change. */
const ZONE = "Asia/Dubai";

/** The time of day in Tokyo, as a page shows it. */
const inTokyo = (at: number): string => new Date(at + 9 * HOUR).toISOString().slice(11, 16);

describePages("times in the zone of each job", { zone: ZONE }, (pages) => {
  let ran: number;
  let until: number;
  /** The minute of each hour in which the jobs are due. */
  let minute: number;

  beforeEach(async () => {
    const { manager, scheduler } = pages.mount;
    // Not during the test: the run would have the lock.
    minute = (new Date().getUTCMinutes() + 30) % 60;
    await scheduler.add("tokyo", { cron: `${minute} * * * *`, timeZone: "Asia/Tokyo" }, () => {});
    await scheduler.add("dubai", { cron: `${minute} * * * *`, timeZone: ZONE }, () => {});
    ({ startTime: ran } = (await manager.run("tokyo", () => {})).record);
    await manager.run("dubai", () => {});
    until = Date.now() + HOUR;
    await manager.hold("tokyo", { reason: "the mint is closed", author: "ana", until });
    await manager.hold("dubai", { reason: "the mint is closed", author: "ana" });
  });

  /** A page whose user chose the zone of each job. */
  async function open(path: string): Promise<Page> {
    const page = await pages.open(path);
    await page.getByRole("button", { name: /^Local: times in your time zone/ }).click();
    await page.getByRole("button", { name: /^UTC: times in UTC/ }).click();
    await page.getByRole("button", { name: /^Job: times in the time zone of each job/ }).waitFor();
    return page;
  }

  it.each([
    ["runs", "", () => inTokyo(ran)],
    ["runs of a job", "?name=tokyo", () => inTokyo(ran)],
    ["locks", "", () => inTokyo(until)],
    ["audit", "", () => ":"],
    ["jobs", "", () => `:${String(minute).padStart(2, "0")}`],
  ])(
    "are in the rows of the list of %s%s, with their distance to UTC where it is not the reader's",
    async (list, query, time) => {
      const page = await open(`${list.replace(/ .*/, "")}${query}`);
      const row = page.getByRole("row", { name: /tokyo/ }).first();
      await row
        .locator("time", { hasText: /\+09:00$/ })
        .first()
        .waitFor();
      expect(
        await row
          .locator("time", { hasText: /\+09:00$/ })
          .first()
          .textContent(),
      ).toContain(time());
      const others = page.getByRole("row", { name: /dubai/ });
      if (!query.includes("tokyo")) await others.first().waitFor();
      expect(await others.getByText("+0").count()).toBe(0);
      await page.setViewportSize({ width: 320, height: 900 });
      expect(await violationsOf(page)).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
    },
  );

  it("are on the page of a run, of its job, and beside what is next", async () => {
    const page = await open("");
    const next = page.getByRole("listitem").filter({ has: page.getByRole("link", { name: "tokyo", exact: true }) });
    await next
      .locator("time", { hasText: new RegExp(`:${String(minute).padStart(2, "0")} \\+09:00$`) })
      .first()
      .waitFor();
    const row = next.filter({ has: page.locator("time", { hasText: /\+09:00$/ }) });
    const boxes = [row.locator("time").first(), row.getByRole("link", { name: "tokyo", exact: true })];
    const [time, name] = await Promise.all(boxes.map((one) => one.boundingBox()));
    expect(name?.x).toBeGreaterThan((time?.x ?? Number.NaN) + (time?.width ?? Number.NaN));
    for (const path of ["jobs/tokyo", `runs/${encodeURIComponent(`tokyo@${new Date(ran).toISOString()}`)}`]) {
      await page.goto(`${pages.mount.url}${path}`);
      await page
        .locator("time", { hasText: `${inTokyo(ran)}` })
        .filter({ hasText: /\+09:00$/ })
        .first()
        .waitFor();
    }
  });

  it("are on the axis of the timeline, if all its jobs have one zone", async () => {
    const page = await open("timeline?q=tokyo");
    await page.getByTitle("Times in Asia/Tokyo").waitFor();
    await page.goto(`${pages.mount.url}timeline`);
    await page.getByTitle(`Times in ${ZONE}`).waitFor();
  });
});
