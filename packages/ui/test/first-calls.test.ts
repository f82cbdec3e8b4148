import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contextOf, launch, whyNoPages } from "./support/browser.js";
import { Mount } from "./support/mount.js";

const missing = whyNoPages();

describe.skipIf(missing !== undefined)(
  `the first calls of a page${missing === undefined ? "" : `: ${missing}`}`,
  () => {
    let browser: Browser;

    beforeAll(async () => {
      browser = await launch();
    });

    afterAll(() => browser?.close());

    it("are made before its program runs, and are not made again by it", async () => {
      const [context, mount] = await Promise.all([contextOf(browser), Mount.open()]);
      try {
        const { record } = await mount.manager.run("a 'b' (c)", (run) => run.log.info("a line"));
        const page = await context.newPage();
        const asked: string[] = [];
        // No program: what is asked all the same was asked by the browser.
        await page.route("**/assets/*.js", (route) => route.abort());
        page.on("request", (request) => asked.push(new URL(request.url()).pathname + new URL(request.url()).search));
        const id = encodeURIComponent(record.id);
        const first = [`runs/${id}`, `runs/${id}/log?tail=400`].map((path) => expect.stringMatching(ending(path)));
        const calls = (): string[] => asked.filter((path) => path.includes("/api/v1/runs/"));
        await page.goto(`${mount.url}runs/${id}`, { waitUntil: "commit" });
        await expect.poll(calls, { timeout: 30_000 }).toEqual(first);

        await page.unroute("**/assets/*.js");
        asked.length = 0;
        await page.reload();
        await page.getByText("a line").waitFor();
        // The run is asked for again with the news that the pages are live.
        expect(calls().slice(0, 2)).toEqual(first);
        expect(calls().filter((path) => path.includes("tail="))).toHaveLength(1);
      } finally {
        await context.close();
        await mount.close();
      }
    });
  },
);

function ending(text: string): RegExp {
  return new RegExp(`${text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);
}
