import { expect, it, vi } from "vitest";
import { describePages } from "./support/describe-pages.js";

const PATIENCE = { timeout: 60_000, interval: 1 };

describePages("the first answers of a page", (pages) => {
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
    const page = await pages.context.newPage();
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
      // A page whose answers take too long comes without them.
      await vi.waitFor(async () => {
        const html = (await (await page.goto(`${url}${path}`))?.text()) ?? "";
        const [, data = "{}"] = /id="first">([^<]*)/.exec(html) ?? [];
        expect(Object.keys(JSON.parse(data)).length, path).toBe(path.startsWith("runs/") ? 3 : 2);
      }, PATIENCE);
      for (const text of texts) await page.locator("main").getByText(text).first().waitFor();
    }
    // What is not there is asked for: the test would see it.
    await page.goto(`${url}runs?range=7d`);
    await expect.poll(() => asked.some((each) => each.includes("/runs?"))).toBe(true);
  });

  it("are older than the program, which knows the time of the server all the same", async () => {
    const LATE = 3_000;
    const page = await pages.context.newPage();
    await page.route("**/assets/*.js", async (route) => {
      await new Promise((resolve) => setTimeout(resolve, LATE));
      await route.continue();
    });
    await page.route("**/api/v1/**", (route) => route.abort());
    const { id, startTime } = await pages.mount.manager.start("a job");
    await page.goto(`${pages.mount.url}runs/${encodeURIComponent(id)}`);
    const elapsed = page.locator(".facts div", { hasText: "Runs for" }).locator("dd");
    const shown = async (): Promise<number> => Number.parseFloat((await elapsed.textContent()) ?? "") * 1_000;
    await expect.poll(async () => Math.abs((await shown()) - (Date.now() - startTime)) < LATE - 500).toBe(true);
  });
});
