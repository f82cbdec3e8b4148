import type { RunRecord } from "@ojm/core";
import type { Page } from "playwright-core";
import { describe, expect, it, test } from "vitest";
import { closerTo } from "../web/src/screens/timeline/model/items.js";
import { violationsOf } from "./support/browser.js";
import { describePages, type Pages } from "./support/describe-pages.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The heights of the axis and of a lane, in px. */
const AXIS = 32;
const LANE = 28;

/** How often the job "dense" runs, in ms: 16 times an hour. */
const EVERY = HOUR / 16;

/** Writes 40 hours of runs; two runs of one hour failed. Resolves to the start of that hour. */
async function writeDense({ mount: { manager } }: Pages): Promise<number> {
  const end = Math.floor(Date.now() / HOUR) * HOUR;
  const bad = end - 10 * HOUR;
  const importer = await manager.openImport();
  for (let startTime = end - 40 * HOUR; startTime < end; startTime += EVERY) {
    const startDate = new Date(startTime).toISOString();
    const inError = startTime === bad || startTime === bad + 4 * EVERY;
    const run: RunRecord = {
      ...{ name: "dense", startTime, startDate, id: `dense@${startDate}`, status: inError ? "failed" : "completed" },
      ...{ holder: { host: "h", pid: 1, instance: "i" }, trigger: "manual", timeout: HOUR, fence: "1" },
      ...{ endTime: startTime + MINUTE, duration: MINUTE, inError },
    };
    await importer.add({ run });
  }
  await importer.flush();
  return bad;
}

/** The range in the address. */
function rangeOf(page: Page): { readonly from: number; readonly to: number; readonly length: number } {
  const { searchParams } = new URL(page.url());
  const [from, to] = [Number(searchParams.get("from")), Number(searchParams.get("to"))];
  return { from, to, length: to - from };
}

/** Where a time is on the canvas, in px. */
async function xOf(page: Page, at: number): Promise<number> {
  const { from, length } = rangeOf(page);
  const { width } = (await page.locator("canvas").boundingBox()) ?? { width: 0 };
  return ((at - from) / length) * width;
}

/** The color at a place of the chart. */
const colorAt = (page: Page, left: number, top: number): Promise<string> =>
  page.evaluate(`(() => {
    const canvas = document.querySelector("canvas");
    const at = [Math.round(${left} * devicePixelRatio), Math.round(${top} * devicePixelRatio), 1, 1];
    return canvas.getContext("2d").getImageData(...at).data.join();
  })()`);

describe("a click on several runs that are one bar", () => {
  const range = { from: 0, to: 24 * HOUR };

  test("leads to a quarter of what is shown, around the pointer, however far the bar reaches", () => {
    expect(closerTo([-20 * HOUR, 40 * HOUR, "completed", 900], range, 10 * HOUR)).toEqual({
      from: 7 * HOUR,
      to: 13 * HOUR,
    });
  });

  test("leads to the bar, if that is shorter, and does not leave it at its ends", () => {
    const short = closerTo([10 * HOUR, 12 * HOUR, "failed", 9], range, 11.9 * HOUR);
    expect(short).toEqual({ from: 9.9 * HOUR, to: 12.1 * HOUR });
    const atStart = closerTo([10 * HOUR, 30 * HOUR, "completed", 9], range, 10 * HOUR);
    expect([atStart.from, atStart.to - atStart.from]).toEqual([9.7 * HOUR, 6 * HOUR]);
  });
});

describePages("the timeline", { tags: ["full"] }, (pages) => {
  /** Opens 30 hours of the job "dense", in which each hour is a bar, or a part of one. */
  const openDense = async (): Promise<{ readonly page: Page; readonly bad: number }> => {
    const bad = await writeDense(pages);
    const page = await pages.open(`timeline?from=${bad - 20 * HOUR}&to=${bad + 10 * HOUR}`);
    const y = AXIS + LANE / 2;
    const x = await xOf(page, bad + 3.5 * HOUR);
    const isDrawn = async (): Promise<boolean> => (await colorAt(page, x, y)) !== (await colorAt(page, 2, 2));
    await expect.poll(isDrawn).toBe(true);
    return { page, bad };
  };

  it("marks what people did, with who and why, and a click leads to the job", async () => {
    const { mount } = pages;
    await mount.runAgo("import", 3 * HOUR, { until: 2.9 * HOUR });
    await mount.ago(2 * HOUR, () => mount.manager.hold("import", { reason: "the disk is replaced", author: "ana" }));
    const now = Date.now();
    const page = await pages.open(`timeline?from=${now - 4 * HOUR}&to=${now}`);
    const canvas = page.locator("canvas");
    const tip = page.locator(".tip");
    await expect
      .poll(async () => {
        await canvas.hover({ position: { x: await xOf(page, now - 2 * HOUR), y: AXIS + LANE / 2 } });
        return tip.allTextContents();
      })
      .toEqual([expect.stringMatching(/^Hold · .*importana: the disk is replaced$/)]);
    expect(await violationsOf(page)).toEqual([]);
    await canvas.click({ position: { x: await xOf(page, now - 2 * HOUR), y: AXIS + LANE / 2 } });
    await page.getByRole("heading", { name: "import", level: 1 }).waitFor();
  });

  it("shows the share of the failures of several runs, and comes closer by a click, which Back undoes", async () => {
    const { page, bad } = await openDense();
    const canvas = page.locator("canvas");
    const y = AXIS + LANE / 2;
    const at = bad + HOUR / 2;
    await canvas.hover({ position: { x: await xOf(page, at), y } });
    const tip = page.locator(".tip");
    await tip.getByText("16 runs").waitFor();
    await tip.getByText("14 completed, 2 failed").waitFor();
    // Beside the count, which is at the left.
    const x = await xOf(page, bad + 0.9 * HOUR);
    const [top, bottom] = [await colorAt(page, x, y - 6), await colorAt(page, x, y + 7)];
    expect(top).toBe(await colorAt(page, await xOf(page, bad + 3.5 * HOUR), y));
    expect(bottom).not.toBe(top);
    expect(bottom).not.toBe(await colorAt(page, 2, 2));

    const click = async (time: number): Promise<void> => {
      const before = page.url();
      await canvas.click({ position: { x: await xOf(page, time), y } });
      await expect.poll(() => page.url()).not.toBe(before);
    };
    const first = rangeOf(page);
    await click(bad - 9 * HOUR);
    const quarter = rangeOf(page);
    expect(quarter.length / first.length).toBeCloseTo(0.25, 3);
    expect((quarter.from + quarter.to) / 2).toBeCloseTo(bad - 9 * HOUR, -6);
    await page.goBack();
    expect(rangeOf(page)).toEqual(first);
    await canvas.hover({ position: { x: await xOf(page, at), y } });
    await tip.getByText("14 completed, 2 failed").waitFor();
    await click(at);
    const hour = rangeOf(page);
    expect([hour.from >= bad - HOUR / 10, hour.to <= bad + 1.1 * HOUR]).toEqual([true, true]);
    expect(await violationsOf(page)).toEqual([]);
  });

  it("has an entry in the history for each gesture, and not for each of its steps", async () => {
    const { page } = await openDense();
    const entries = (): Promise<number> => page.evaluate("history.length");
    const urls = [page.url()];
    const before = await entries();
    const gesture = async (act: () => Promise<void>): Promise<void> => {
      await act();
      await expect.poll(() => page.url()).not.toBe(urls.at(-1));
      urls.push(page.url());
      expect(await entries()).toBe(before + urls.length - 1);
    };
    await page.locator("canvas").hover();
    const { x, y } = (await page.locator("canvas").boundingBox()) ?? { x: 0, y: 0 };
    // All at once: on a busy machine, more time passes between two events of the mouse than within a gesture.
    const turn = JSON.stringify({ deltaY: -60, ctrlKey: true, clientX: x + 200, clientY: y, cancelable: true });
    const wheel = `document.querySelector("canvas").dispatchEvent(new WheelEvent("wheel", ${turn}))`;
    await gesture(() => page.evaluate(`for (let i = 0; i < 5; i++) ${wheel}`));
    await gesture(async () => {
      await page.mouse.move(x + 400, y + AXIS + LANE / 2);
      await page.mouse.down();
      await page.mouse.move(x + 300, y + AXIS + LANE / 2);
      // Longer than a wheel may rest: while a button is down, it is one gesture.
      await page.waitForTimeout(500);
      expect(page.url()).toBe(urls.at(-1));
      await page.mouse.move(x + 200, y + AXIS + LANE / 2);
      await page.mouse.up();
    });
    await gesture(() => page.getByRole("button", { name: "Zoom out" }).click());
    await gesture(() => page.getByRole("button", { name: "7d" }).click());
    for (const url of urls.toReversed().slice(1)) {
      await page.goBack();
      expect(page.url()).toBe(url);
    }
    // Wait for the view: otherwise the next gesture would start where the last one ended.
    await page.getByRole("button", { name: "Zoom in" }).click();
    await expect.poll(() => rangeOf(page).length / (30 * HOUR)).toBeCloseTo(0.5, 3);
  });

  it("reads once in five seconds at most while runs begin and end, and a slow answer is not begun again", async () => {
    const { manager, url } = pages.mount;
    await manager.run("a job", () => {});
    const page = await pages.context.newPage();
    const path = /\/api\/v1\/timeline\?/;
    let asked = 0;
    page.on("request", (request) => {
      if (path.test(request.url())) asked++;
    });
    await page.route(path, async (route) => {
      // The range that moves with the time changes each second.
      if (asked === 1) await new Promise((resolve) => setTimeout(resolve, 2_500));
      await route.continue().catch(() => {});
    });
    const askedAtFirst = page.waitForResponse(path).then(() => asked);
    await page.goto(`${url}timeline`);
    await page.locator("main").getByRole("link", { name: "a job" }).waitFor();
    expect(await askedAtFirst).toBe(1);
    // By the clock of the browser, which a busy machine does not shift.
    const begun = (): Promise<number[]> =>
      page.evaluate(`performance.getEntriesByType("resource").filter(({ name }) => ${path}.test(name))
        .map(({ startTime }) => startTime)`);
    while ((await begun()).length < 2) await manager.run("a job", () => page.waitForTimeout(100));
    const [first = 0, second = 0] = await begun();
    expect(second - first).toBeGreaterThan(4_900);
  });

  it("can be seen in forced colours, as can progress", async () => {
    const { page, bad } = await openDense();
    await page.emulateMedia({ forcedColors: "active" });
    await page.reload();
    const y = AXIS + LANE / 2;
    const [x, other] = [await xOf(page, bad + 0.9 * HOUR), await xOf(page, bad + 3.5 * HOUR)];
    const seen = async (): Promise<number> => {
      const places = [colorAt(page, 2, 2), colorAt(page, x, y + 7), colorAt(page, other, y)];
      return new Set(await Promise.all(places)).size;
    };
    await expect.poll(seen).toBe(3);
    const run = await pages.mount.manager.start("import");
    run.progress(40, 100);
    await page.goto(`${pages.mount.url}runs/${encodeURIComponent(run.id)}`);
    await page.getByRole("progressbar").waitFor();
    const [ground, done] = (await page.evaluate(
      `[".meter", ".meter > i"].map((it) => getComputedStyle(document.querySelector(it)).backgroundColor)`,
    )) as string[];
    expect(done).not.toBe(ground);
    await run.end();
  });

  it("is printed in light colours, with each lane beside its name", async () => {
    const { page } = await openDense();
    const lanes = page.locator(".lane-names li");
    for (let i = 10; i < 45; i++) await pages.mount.manager.run(`job ${i}`, () => {});
    await expect.poll(() => lanes.count()).toBe(36);
    await page.evaluate(`document.documentElement.dataset.theme = "dark"`);
    await page.emulateMedia({ colorScheme: "dark" });
    await page.locator(".chart-scroll").evaluate((box) => {
      box.scrollTop = 300;
    });
    const pixels = `(() => {
      const { width, height } = document.querySelector("canvas");
      return { width, height, ground: document.querySelector("canvas").getContext("2d").getImageData(2, 2, 1, 1).data.join() };
    })()`;
    // The chart is painted again in the frame after the theme changes.
    await expect.poll(() => page.evaluate(pixels)).not.toMatchObject({ ground: "255,255,255,255" });
    const before = (await page.evaluate(pixels)) as { readonly height: number };
    await page.evaluate(`addEventListener("beforeprint", () => { window.printed = ${pixels}; })`);
    await page.pdf();
    expect(await page.evaluate("window.printed")).toMatchObject({
      ...{ height: 2 * (AXIS + 36 * LANE), ground: "255,255,255,255" },
    });
    expect(await page.evaluate(pixels)).toEqual(before);
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    expect(await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")).toBe(
      "rgb(255, 255, 255)",
    );
    const top = (await page.locator("canvas").boundingBox())?.y ?? 0;
    expect((await page.locator("canvas").boundingBox())?.height).toBe(AXIS + 36 * LANE);
    expect(await lanes.evaluateAll((all) => all.map((lane) => lane.getBoundingClientRect().top))).toEqual(
      Array.from({ length: 36 }, (_, i) => top + AXIS + i * LANE),
    );
  });

  it("has its ticks on the page of a job by the result of their runs", async () => {
    const { scheduler } = pages.mount;
    let fails = true;
    await scheduler.add("feed", { every: 1_000 }, () => {
      fails = !fails;
      if (fails) throw new Error("no feed");
    });
    const page = await pages.open("jobs/feed");
    const ticks = page.getByRole("region", { name: "Ticks" });
    await ticks.locator('.to-run [data-tone="failed"]').getByText("Failed").first().waitFor();
    await ticks.locator('.to-run [data-tone="completed"]').getByText("Completed").first().waitFor();
  });
});
