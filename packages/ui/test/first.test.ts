/**
 * The first answers of a page, delayed one by one.
 * @module-tag full
 */
import type { Page } from "playwright-core";
import { expect, it, vi } from "vitest";
import { describePages } from "./support/describe-pages.js";

const PATIENCE = { timeout: 60_000, interval: 1 };

describePages("the first answers of a page", (pages) => {
  /** A page with its own stream, so that its requests can be delayed too: those of a worker cannot. */
  const opened = async (): Promise<Page> => {
    const page = await pages.context.newPage();
    await page.addInitScript("delete globalThis.SharedWorker");
    return page;
  };

  /** Goes to a page with this many first answers: a page that waits too long comes without them. */
  const openWith = (page: Page, path: string, count: number): Promise<void> =>
    vi.waitFor(async () => {
      const html = (await (await page.goto(`${pages.mount.url}${path}`))?.text()) ?? "";
      const [, data = "{}"] = /id="first">([^<]*)/.exec(html) ?? [];
      expect(Object.keys(JSON.parse(data)).length, path).toBe(count);
    }, PATIENCE);

  it("are shown without a call of the API, whatever the page", async () => {
    const { manager, scheduler, url } = pages.mount;
    await scheduler.add("nightly", { cron: "0 2 * * *" }, () => {});
    await scheduler.pause("nightly", { reason: "the partner moves", author: "ana" });
    let id = "";
    const failing = manager.run("a job", (run) => {
      id = run.id;
      run.log.info("a line");
      throw new Error("no room");
    });
    await failing.catch(() => {});
    const page = await opened();
    const asked: string[] = [];
    await page.route("**/api/v1/**", (route) => {
      asked.push(route.request().url());
      return route.abort();
    });
    for (const [path, ...texts] of [
      ["", "no room", "1 scheduler"],
      ["jobs", "nightly", "a job"],
      ["jobs?q=night", "nightly"],
      ["jobs/nightly", "At 02:00"],
      ["jobs/nightly/why", "the partner moves"],
      ["runs", "a job"],
      ["runs?name=a+job&status=failed", "a job"],
      [`runs/${encodeURIComponent(id)}`, "no room", "a line"],
      ["locks", "Processes"],
      ["audit", "the partner moves"],
    ] as const) {
      await openWith(page, path, path.startsWith("runs/") ? 3 : 2);
      for (const text of texts) await page.locator("main").getByText(text).first().waitFor();
    }
    // A missing answer would be requested: the test would see it.
    asked.length = 0;
    await page.goto(`${url}runs?range=7d`);
    await expect.poll(() => asked.some((each) => each.includes("/runs?"))).toBe(true);
  });

  it("are older than the program, which knows the time of the server all the same", async () => {
    const LATE = 3_000;
    const page = await opened();
    await page.route("**/assets/*.js", async (route) => {
      await new Promise((resolve) => setTimeout(resolve, LATE));
      await route.continue();
    });
    await page.route("**/api/v1/**", (route) => route.abort());
    const run = await pages.mount.manager.start("a job");
    const elapsed = page.locator(".facts div", { hasText: "Running for" }).locator("dd time, dd");
    await vi.waitFor(async () => {
      await openWith(page, `runs/${encodeURIComponent(run.id)}`, 3);
      const before = Date.now() - run.startTime;
      const shown = msOf((await elapsed.first().textContent()) ?? "");
      const after = Date.now() - run.startTime;
      expect(shown).toBeGreaterThan(before - LATE / 2);
      expect(shown).toBeLessThan(after + LATE / 2);
    }, PATIENCE);
  });

  it("came by half, as the server died: everything is requested", async () => {
    await pages.mount.manager.run("a job", () => {});
    const page = await opened();
    await page.route(`${pages.mount.url}runs`, async (route) => {
      const response = await route.fetch();
      const [frame = ""] = (await response.text()).split('id="first">');
      await route.fulfill({ response, body: `${frame}id="first">{"runs` });
    });
    await page.goto(`${pages.mount.url}runs`);
    await page.locator("main").getByText("a job").first().waitFor();
  });
});

/** The ms of a duration as text: "3.1 s", "1 min 2 s". */
function msOf(text: string): number {
  const [, minutes = 0] = /(\d+) min\b/.exec(text) ?? [];
  const [, seconds = Number.NaN] = /([\d.]+) s/.exec(text) ?? [];
  return Number(minutes) * 60_000 + Number(seconds) * 1_000;
}
