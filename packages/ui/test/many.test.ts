/**
 * Many jobs at once, and maintenance, in a browser.
 * @module-tag full
 */
import { expect, it } from "vitest";
import { describePages } from "./support/describe-pages.js";

const HOUR = 3_600_000;

describePages("many jobs at once", (pages) => {
  it("run all failing jobs again with one reason, and see what was done to each", async () => {
    const { scheduler } = pages.mount;
    let isBroken = true;
    const ran: string[] = [];
    for (let i = 0; i < 12; i++)
      await scheduler.add(`job-${i}`, { every: HOUR }, async ({ name }) => {
        ran.push(name);
        if (isBroken && Number(name.slice(4)) < 9) throw new Error("no route");
      });
    await Promise.all(Array.from({ length: 12 }, (_, i) => scheduler.runNow(`job-${i}`, { reason: "a test" })));
    await expect.poll(() => ran.length).toBe(12);
    isBroken = false;
    const page = await pages.open("jobs");
    await page.getByRole("button", { name: "Failing" }).click();
    await expect.poll(() => page.locator("table.jobs tbody tr").count()).toBe(9);
    await page.getByRole("toolbar").getByRole("button", { name: "Run now" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("9 jobs", { exact: true }).waitFor();
    await page.keyboard.type("the route is back");
    await dialog.getByRole("button", { name: "Run now" }).click();
    await page.locator("dialog").waitFor({ state: "detached" });
    await expect.poll(() => ran.length).toBe(21);
  });

  it("pause the chosen jobs only", async () => {
    const { scheduler } = pages.mount;
    for (const name of ["a", "b", "c"]) await scheduler.add(name, { every: HOUR }, () => {});
    const page = await pages.open("jobs");
    for (const name of ["a", "c"]) await page.getByLabel(`Choose ${name}`).check();
    await page.getByRole("toolbar").getByRole("button", { name: "Pause" }).click();
    await page.keyboard.type("holidays");
    await page.getByRole("dialog").getByRole("button", { name: "Pause the schedule" }).click();
    await page.locator("dialog").waitFor({ state: "detached" });
    const paused: string[] = [];
    for await (const one of scheduler.schedules()) if (one.paused !== undefined) paused.push(one.name);
    expect(paused).toEqual(["a", "c"]);
  });

  it("a maintenance takes four clicks, and each page has a bar meanwhile", async () => {
    await pages.mount.scheduler.add("a", { every: HOUR }, () => {});
    const page = await pages.open("jobs");
    await page.getByRole("button", { name: "Maintenance …" }).click();
    await page.keyboard.type("the database moves");
    await page.getByRole("dialog").getByRole("button", { name: "Start a maintenance" }).click();
    const bar = page.locator(".maintenance");
    await bar.getByText("the database moves").waitFor();
    expect(await pages.mount.manager.maintenance()).toMatchObject([{ names: "*", reason: "the database moves" }]);
    await page.getByRole("link", { name: "Audit" }).click();
    await bar.getByRole("button", { name: "End it" }).click();
    await page.keyboard.type("done");
    await page.getByRole("dialog").getByRole("button", { name: "End the maintenance" }).click();
    await bar.waitFor({ state: "detached" });
    expect(await pages.mount.manager.maintenance()).toEqual([]);
  });
});
