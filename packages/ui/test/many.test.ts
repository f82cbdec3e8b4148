/**
 * Many jobs at once, and maintenance, in a browser.
 * @module-tag full
 */
import { expect, it } from "vitest";
import { typeReason, violationsOf } from "./support/browser.js";
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
    await typeReason(page, "the route is back");
    await dialog.getByRole("button", { name: "Run now" }).click();
    await dialog.getByText("9 of 9 started.").waitFor();
    expect((await dialog.getByRole("listitem").allTextContents()).sort()).toEqual(
      Array.from({ length: 9 }, (_, i) => `"job-${i}" started. See the run`),
    );
    await dialog.locator("button:focus").getByText("Close").waitFor();
    await page.keyboard.press("Enter");
    await page.locator("dialog").waitFor({ state: "detached" });
    await expect.poll(() => ran.length).toBe(21);
  });

  it("pause the chosen jobs only", async () => {
    const { scheduler } = pages.mount;
    for (const name of ["a", "b", "c"]) await scheduler.add(name, { every: HOUR }, () => {});
    const page = await pages.open("jobs");
    const second = page.getByLabel("Select c");
    const place = await second.boundingBox();
    for (const name of ["a", "c"]) await page.getByLabel(`Select ${name}`, { exact: true }).check();
    // The first choice moves no row: a second click would miss.
    expect(await second.boundingBox()).toEqual(place);
    await page.getByRole("toolbar").getByRole("button", { name: "Pause" }).click();
    await typeReason(page, "holidays");
    await page.getByRole("dialog").getByRole("button", { name: "Pause schedule" }).click();
    await page.getByText("2 of 2 succeeded.").waitFor();
    const paused: string[] = [];
    for await (const one of scheduler.schedules()) if (one.paused !== undefined) paused.push(one.name);
    expect(paused).toEqual(["a", "c"]);
  });

  it("select all jobs of the list, also those of pages that are not shown, and say how many there are", async () => {
    const { scheduler } = pages.mount;
    for (let i = 0; i < 103; i++) await scheduler.add(`job-${i}`, { every: HOUR }, () => {});
    await scheduler.add("other", { every: HOUR }, () => {});
    const page = await pages.open("jobs?q=job-*");
    await page.getByText("103 of 104 jobs", { exact: true }).waitFor();
    const toolbar = page.getByRole("toolbar");
    await toolbar.getByRole("checkbox", { name: "Select all" }).check();
    const box = toolbar.getByRole("checkbox", { name: "103 selected:" });
    await box.waitFor();
    expect(await box.isChecked()).toBe(true);
    await page.getByLabel("Select job-1", { exact: true }).uncheck();
    await toolbar.getByText("102 selected:").waitFor();
    expect(await toolbar.getByRole("checkbox").isChecked()).toBe(false);
    await toolbar.getByRole("checkbox").check();
    await box.waitFor();
    await box.uncheck();
    await toolbar.getByText("Select all").waitFor();
    expect(await page.getByLabel("Select job-1", { exact: true }).isChecked()).toBe(false);
    expect(await violationsOf(page)).toEqual([]);
  });

  it("show how far they are, and stop when they are asked to", async () => {
    const { scheduler } = pages.mount;
    const names = Array.from({ length: 20 }, (_, i) => `job-${String(i).padStart(2, "0")}`);
    for (const name of names) await scheduler.add(name, { every: HOUR }, () => {});
    const page = await pages.open("jobs?q=job-*");
    const asked: string[][] = [];
    let answer = (): void => {};
    await page.route("**/api/v1/many/pause", async (route) => {
      const body = route.request().postDataJSON() as { readonly names: string[]; readonly dryRun?: boolean };
      if (body.dryRun !== true) {
        asked.push(body.names);
        if (asked.length === 2) {
          await new Promise<void>((resolve) => {
            answer = resolve;
          });
        }
      }
      await route.continue();
    });
    await page.getByRole("toolbar").getByRole("button", { name: "Pause" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("20 jobs", { exact: true }).waitFor();
    await typeReason(page, "holidays");
    await page.keyboard.press("Control+Enter");
    await dialog.getByText("8 of 20 done").waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Stop" }).click();
    await page.locator("dialog").waitFor({ state: "detached" });
    await expect.poll(() => asked.length).toBe(2);
    answer();
    await page.getByText("16 of 20 succeeded.").waitFor();
    expect(asked).toEqual([names.slice(0, 8), names.slice(8, 16)]);
  });

  it("are runs: those that run are cancelled, and the jobs of those that failed run again", async () => {
    const { manager, scheduler } = pages.mount;
    const days: unknown[] = [];
    await scheduler.add("import", { every: HOUR }, async ({ args, signal }) => {
      days.push(args["day"]);
      if (days.length <= 2) throw new Error("no route");
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    });
    for (const day of [1, 2]) {
      await scheduler.runNow("import", { reason: "a test", args: { day } });
      await expect.poll(async () => (await manager.activeRuns()).length).toBe(0);
    }
    await manager.run("other", () => {});
    const page = await pages.open("runs");
    const rows = page.locator("table.runs tbody tr");
    await expect.poll(() => rows.count()).toBe(3);
    await page.getByRole("button", { name: "Failed", exact: true }).click();
    await page.getByRole("button", { name: "Running", exact: true }).click();
    await expect.poll(() => rows.count()).toBe(2);
    expect(new URL(page.url()).searchParams.get("status")).toBe("failed,running");
    // The earlier one: its parameters, not those of the newest run.
    await rows.nth(1).getByRole("checkbox").check();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      expect(await violationsOf(page), colorScheme).toEqual([]);
    }
    await page.getByRole("toolbar").getByRole("button", { name: "Run failed ones again" }).click();
    await typeReason(page, "the route is back");
    await page.keyboard.press("Control+Enter");
    const dialog = page.getByRole("dialog", { name: "Run 1 job again" });
    await dialog.getByText("1 of 1 started.").waitFor();
    await dialog.locator("button:focus").getByText("Close").waitFor();
    await page.keyboard.press("Enter");
    await expect.poll(() => days).toEqual([1, 2, 1]);
    await page.getByRole("button", { name: "Clear selection" }).click();
    await rows.filter({ hasText: "Running" }).waitFor();
    await page.getByRole("toolbar").getByRole("button", { name: "Cancel running ones" }).click();
    await typeReason(page, "enough");
    await page.keyboard.press("Control+Enter");
    await page.getByRole("dialog", { name: "Cancel 1 run" }).getByText("1 of 1 succeeded.").waitFor();
    await expect.poll(async () => (await manager.activeRuns()).length).toBe(0);
  });

  it("a maintenance takes four clicks, and each page has a bar meanwhile", async () => {
    await pages.mount.scheduler.add("a", { every: HOUR }, () => {});
    const page = await pages.open("");
    await page.getByRole("button", { name: "Start maintenance" }).click();
    await page.getByRole("dialog").getByText("would start maintenance of everything (1 schedule)").waitFor();
    await typeReason(page, "the database moves");
    await page.getByRole("dialog").getByRole("button", { name: "Start maintenance" }).click();
    const bar = page.locator(".maintenance");
    await bar.getByText("the database moves").waitFor();
    expect(await pages.mount.manager.maintenance()).toMatchObject([{ names: "*", reason: "the database moves" }]);
    await page.getByRole("link", { name: "Audit" }).click();
    await bar.getByRole("button", { name: "End maintenance" }).click();
    await typeReason(page, "done");
    await page.getByRole("dialog").getByRole("button", { name: "End maintenance" }).click();
    await bar.waitFor({ state: "detached" });
    expect(await pages.mount.manager.maintenance()).toEqual([]);
  });
});
