/**
 * Marks of ticks on the timeline.
 * @module-tag full
 */
import { openScheduler, type Scheduler } from "@ojm/schedule";
import type { Page } from "playwright-core";
import { afterEach, expect, it } from "vitest";
import type { Timeline } from "../src/contract/types.js";
import { describePages } from "./support/describe-pages.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The heights of the axis and of a lane, in px. */
const AXIS = 32;
const LANE = 28;

describePages("marks of ticks", (pages) => {
  let scheduler: Scheduler | undefined;

  afterEach(async () => {
    await scheduler?.close();
  });

  /** Makes a lane that a run fills, with a missed tick during the run. */
  const fill = async (name: string): Promise<void> => {
    await pages.mount.runAgo(name, 4 * HOUR, { until: 0 });
    await leave(name);
  };

  /** Lets the ticks of some hours be missed. */
  const leave = async (name: string): Promise<void> => {
    const definition = { cron: "0 * * * *", missed: "none" } as const;
    await pages.mount.scheduler.add(name, definition, () => {});
    await pages.mount.scheduler.close();
    const channel = await pages.mount.manager.channel<{ readonly at: number }>("oJobManager-schedules");
    await channel.set(["cursor", name], { at: Date.now() - 2.5 * HOUR });
    scheduler = openScheduler(pages.mount.manager);
    await scheduler.add(name, definition, () => {});
  };

  /** The color at a place of the chart. */
  const colorAt = (page: Page, left: number, top: number): Promise<string> =>
    page.evaluate(`(() => {
      const canvas = document.querySelector("canvas");
      const ratio = devicePixelRatio;
      const at = [Math.round(${left} * ratio), Math.round(${top} * ratio), 1, 1];
      return canvas.getContext("2d").getImageData(...at).data.join();
    })()`);

  it.each(["light", "dark"] as const)("are seen above the runs of a full lane, in a %s page", async (colorScheme) => {
    await fill("feed");
    const now = Date.now();
    const [from, to] = [now - 3.5 * HOUR, now - HOUR / 10];
    const page = await pages.context.newPage();
    await page.emulateMedia({ colorScheme });
    await page.goto(`${pages.mount.url}timeline?from=${from}&to=${to}`);
    const missedAt = async (): Promise<number> => {
      const answer = await page.request.get(`${pages.mount.url}api/v1/timeline?from=${from}&to=${to}`);
      const { lanes } = (await answer.json()) as Timeline;
      return lanes[0]?.ticks.find(({ outcome }) => outcome === "missed")?.due ?? 0;
    };
    await expect.poll(missedAt).toBeGreaterThan(from);
    const due = await missedAt();
    const canvas = page.locator("canvas");
    const { width } = (await canvas.boundingBox()) ?? { width: 0 };
    const [x, y] = [((due - from) / (to - from)) * width, AXIS + LANE / 2];
    // The axis has the background of the page. So has the disc above the crossing, but not the run before it.
    const seen = async (): Promise<object> => {
      const [ground, disc, crossing, run] = await Promise.all([
        colorAt(page, 2, 2),
        colorAt(page, x, y - 4),
        colorAt(page, x, y),
        colorAt(page, x - 20, y),
      ]);
      return { disc: disc === ground, crossing: crossing !== ground && crossing !== run, run: run !== ground };
    };
    await expect.poll(seen).toEqual({ disc: true, crossing: true, run: true });
    await canvas.hover({ position: { x: x + 4, y } });
    await page
      .locator(".tip")
      .getByText(/^Missed/)
      .waitFor();
    await canvas.hover({ position: { x: x - 30, y } });
    await page
      .locator(".tip")
      .getByText(/^Completed/)
      .waitFor();
  });

  it("are small among the runs of a dense lane, and hide none of them", async () => {
    const [now, hour] = [Date.now(), Math.floor(Date.now() / HOUR) * HOUR];
    const importer = await pages.mount.manager.openImport();
    for (let startTime = hour - 20 * HOUR; startTime < hour; startTime += MINUTE * 10) {
      const startDate = new Date(startTime).toISOString();
      await importer.add({
        run: {
          ...{ name: "dense", startTime, startDate, id: `dense@${startDate}`, status: "completed", trigger: "manual" },
          ...{ holder: { host: "h", pid: 1, instance: "i" }, timeout: HOUR, fence: "1" },
          ...{ endTime: startTime + MINUTE, duration: MINUTE, inError: false },
        },
      });
    }
    await importer.flush();
    await leave("dense");
    const [from, to] = [now - 20 * HOUR, now + 4 * HOUR];
    const page = await pages.context.newPage();
    await page.goto(`${pages.mount.url}timeline?from=${from}&to=${to}`);
    const ticks = async (): Promise<Timeline["lanes"][number]["ticks"]> => {
      const answer = await page.request.get(`${pages.mount.url}api/v1/timeline?from=${from}&to=${to}`);
      return ((await answer.json()) as Timeline).lanes[0]?.ticks ?? [];
    };
    const missed = async (): Promise<number> => (await ticks()).find(({ outcome }) => outcome === "missed")?.due ?? 0;
    await expect.poll(missed).toBeGreaterThan(from);
    const due = await missed();
    const canvas = page.locator("canvas");
    const { width } = (await canvas.boundingBox()) ?? { width: 0 };
    const xOf = (at: number): number => ((at - from) / (to - from)) * width + 1.5;
    // The run at that time is visible, as are those beside it, and the mark is below them.
    const seen = async (): Promise<boolean> => {
      const runs = [due - 8 * HOUR, due - 10 * MINUTE, due, due + 10 * MINUTE];
      const [ground, ...colors] = await Promise.all([
        colorAt(page, 2, 2),
        ...runs.map((at) => colorAt(page, xOf(at), AXIS + LANE / 2)),
      ]);
      return new Set(colors).size === 1 && colors[0] !== ground;
    };
    await expect.poll(seen).toBe(true);
    await canvas.hover({ position: { x: xOf(due), y: AXIS + LANE - 6 } });
    await page
      .locator(".tip")
      .getByText(/^Missed/)
      .waitFor();
    await canvas.hover({ position: { x: xOf(due), y: AXIS + LANE / 2 - 4 } });
    await page
      .locator(".tip")
      .getByText(/^(Completed|1 run)/)
      .waitFor();
  });
});
