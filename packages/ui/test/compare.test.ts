/**
 * Two runs side by side, in a browser.
 * @module-tag full
 */
import type { Run } from "@ojm/core";
import { expect, it } from "vitest";
import { violationsOf } from "./support/browser.js";
import { describePages } from "./support/describe-pages.js";

const HOUR = 3_600_000;

describePages("two runs are compared", (pages) => {
  /** A run of a job, `ms` ago, whose lines are these. */
  const ran = async (ms: number, lines: readonly string[], end: (run: Run) => Promise<unknown>): Promise<string> => {
    const { mount } = pages;
    const run = await mount.ago(ms, () => mount.manager.start("import", { args: { day: ms } }));
    await mount.ago(ms - 1_000, async () => {
      for (const line of lines) run.log.info(line);
      await end(run);
    });
    return run.id;
  };

  const rows = (rest: readonly string[]): string[] => [
    ...Array.from({ length: 200 }, (_, i) => `row ${i} of the file, at 11:02:${String(i % 60).padStart(2, "0")}`),
    ...rest,
  ];

  it("from the list and from the page of a run, with the first difference in sight", async () => {
    await ran(3 * HOUR, rows(["check 200 rows", "done in 3.5 s"]), (run) => run.end());
    await ran(2 * HOUR, rows(["retry after 30 s", "check 200 rows", "no connection to db-2"]), (run) =>
      run.fail(new Error("no connection")),
    );
    const page = await pages.open("runs");
    const boxes = page.getByRole("checkbox", { name: /^Select the run/ });
    await expect.poll(() => boxes.count()).toBe(2);
    for (const box of await boxes.all()) await box.check();
    await page.getByRole("toolbar").getByRole("link", { name: "Compare" }).click();
    await page.getByText("difference 1 of 2").waitFor();
    const lines = page.locator("table.sides tbody tr");
    // The 200 equal rows are folded, but for the last three.
    await page.getByRole("button", { name: "197 equal lines" }).waitFor();
    const first = page.locator("[data-first]").first();
    expect(await first.locator(".text").allTextContents()).toEqual(["retry after 30 s"]);
    const isSeen = "document.querySelector('[data-first]').getBoundingClientRect().bottom <= innerHeight";
    expect(await page.evaluate(isSeen)).toBe(true);
    const facts = page.locator("table.compared").first();
    expect(await facts.locator("thead .state").allTextContents()).toEqual(["Completed", "Failed"]);
    await facts.getByRole("row", { name: /^Parameters/ }).waitFor({ state: "detached" });
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      expect(await violationsOf(page), colorScheme).toEqual([]);
    }
    const current = page.locator("[aria-current=true] .text");
    expect(await current.allTextContents()).toEqual(["retry after 30 s"]);
    await page.getByRole("button", { name: "Next difference" }).press("Enter");
    await page.getByText("difference 2 of 2").waitFor();
    expect(await current.allTextContents()).toEqual(["done in 3.5 s", "no connection to db-2"]);
    await page.getByRole("button", { name: "197 equal lines" }).press("Enter");
    await expect.poll(() => lines.count()).toBe(203);
    await page.setViewportSize({ width: 390, height: 800 });
    const width = "document.documentElement.scrollWidth - innerWidth";
    expect(await page.evaluate(width)).toBeLessThanOrEqual(0);
    expect(await violationsOf(page)).toEqual([]);
    await page.goBack();
    await page
      .getByRole("link", { name: /^Failed/ })
      .first()
      .click();
    await page.getByRole("link", { name: "Compare with the last success" }).click();
    await page.getByText("difference 1 of 2").waitFor();
  });

  it("that say the same, or that wrote nothing, or that do not exist", async () => {
    const [a, b] = [
      await ran(3 * HOUR, rows([]), (run) => run.end()),
      await ran(2 * HOUR, rows([]), (run) => run.end()),
    ];
    const page = await pages.open(`compare?a=${encodeURIComponent(a)}&b=${encodeURIComponent(b)}`);
    await page.getByText("no difference").waitFor();
    await page.getByRole("button", { name: "200 equal lines" }).waitFor();
    await page.getByRole("link", { name: "Swap" }).click();
    await page.getByText("no difference").waitFor();
    expect(new URL(page.url()).searchParams.get("a")).toBe(b);
    await page.goto(`${pages.mount.url}compare?a=${encodeURIComponent(a)}&b=none`);
    await page.getByText("Not found").waitFor();
    await page.goto(`${pages.mount.url}compare`);
    await page.getByText("Select two runs", { exact: true }).waitFor();
  });
});
