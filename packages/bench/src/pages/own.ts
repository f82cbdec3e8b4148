import { setImmediate as turn } from "node:timers/promises";
import { type JobManagerOptions, openJobManager } from "@ojm/core";
import type { Browser, Page } from "playwright-core";
import { fill } from "../cockpit/fill.js";
import { type OpenStore, stores } from "../stores.js";
import { type Load, openPage } from "./browser.js";
import { openOurs } from "./site.js";

const MIB = 1_048_576;

/** How many jobs have runs: the timeline of all of them is measured. */
const NAMES = 500;

/** How often a log is opened. */
const LOADS = 7;

/** The cost of one of our pages with much data. In ms and bytes. */
export interface OwnRow {
  readonly page: "timeline" | "log";
  /** The number of runs or lines. */
  readonly size: number;
  readonly load: Load;
  /** From one frame to the next while the timeline is dragged: p95, and the most. */
  readonly frames?: { readonly p95: number; readonly most: number; readonly count: number };
  /** JavaScript's memory at the end, including garbage that is not yet collected. */
  readonly heap: number;
}

async function withStore<T>(use: (open: OpenStore) => Promise<T>): Promise<T> {
  const store = stores.find(({ name }) => name === "sqlite");
  if (store === undefined) throw new Error("there is no store in a file");
  const open = await store.open();
  try {
    return await use(open);
  } finally {
    await open.close();
  }
}

/** Opens the timeline of 7 days of a store with this many runs, and drags it. */
export function measureTimeline(browser: Browser, runs: number): Promise<OwnRow> {
  return withStore(async (open) => {
    await fill(open, { total: runs, names: NAMES, now: Date.now() });
    const site = await openOurs(open.options, "");
    try {
      const url = new URL("timeline?range=7d", site.url).href;
      // The server folds its runs into hours once: a page that waits for that would not measure the page
      // itself.
      const [first] = await openPage(browser, url, ".lane-names a");
      await first.getByText("Older runs are being counted.").waitFor({ state: "detached", timeout: 600_000 });
      await first.context().close();
      const [page, load] = await openPage(browser, url, ".lane-names a");
      const frames = await drag(page);
      const heap = await heapOf(page);
      await page.context().close();
      return { page: "timeline", size: runs, load, frames, heap };
    } finally {
      await site.close();
    }
  });
}

/** Drags the canvas to and fro, and measures each frame meanwhile. */
async function drag(page: Page): Promise<NonNullable<OwnRow["frames"]>> {
  const box = await page.locator("canvas").boundingBox();
  if (box === null) throw new Error("the timeline has no canvas");
  const [middle, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(middle, y);
  await page.mouse.down();
  await page.evaluate(`(() => {
    window.frames95 = [];
    let before = performance.now();
    const frame = (now) => { window.frames95.push(now - before); before = now; requestAnimationFrame(frame); };
    requestAnimationFrame((now) => { before = now; requestAnimationFrame(frame); });
  })()`);
  for (let i = 0; i < 240; i++) await page.mouse.move(middle + Math.sin(i / 20) * box.width * 0.4, y);
  const frames = (await page.evaluate("window.frames95")) as number[];
  await page.mouse.up();
  frames.sort((a, b) => a - b);
  return {
    p95: frames[Math.ceil(frames.length * 0.95) - 1] ?? Number.NaN,
    most: frames.at(-1) ?? Number.NaN,
    count: frames.length,
  };
}

/** Opens a run whose log has this many lines, all of them retained. */
export function measureLog(browser: Browser, lines: number): Promise<OwnRow> {
  return withStore(async (open) => {
    const id = await fillLog(open.options, lines);
    const site = await openOurs(open.options, "");
    try {
      const url = new URL(`runs/${encodeURIComponent(id)}`, site.url).href;
      const loads: Load[] = [];
      let heap = Number.NaN;
      // The first load warms up the server, which has not answered anything before.
      for (let i = 0; i <= LOADS; i++) {
        const [page, load] = await openPage(browser, url, ".line .text");
        if (i > 0) loads.push(load);
        heap = await heapOf(page);
        await page.context().close();
      }
      return { page: "log", size: lines, load: median(loads), heap };
    } finally {
      await site.close();
    }
  });
}

/** The median load: a single one depends on the momentary state of the machine. */
function median(loads: readonly Load[]): Load {
  const sorted = loads.toSorted((a, b) => a.shown - b.shown);
  return sorted[Math.floor(sorted.length / 2)] as Load;
}

async function heapOf(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  return usedSize;
}

/**
 * Runs a job that writes this many lines, in a store that retains them all. Resolves to the id of the run.
 */
async function fillLog(options: JobManagerOptions, lines: number): Promise<string> {
  await using manager = await openJobManager({ ...options, logBudget: { head: 4 * MIB, tail: 64 * MIB } });
  const run = await manager.start("with-log");
  for (let line = 1; line <= lines; line++) {
    run.log.info(`line ${line}: copied a row of the table from here to there`);
    // More than a MiB of pending lines would be dropped: give the store a turn.
    if (line % 1_000 === 0) await written();
  }
  await run.end();
  let kept = 0;
  for await (const item of manager.log(run.id)) if ("line" in item) kept++;
  if (kept !== lines) throw new Error(`the store kept ${kept} of ${lines} lines: this machine is too busy to measure`);
  return run.id;
}

/** Waits as long as the store needs for about 100 KB. */
async function written(): Promise<void> {
  const end = performance.now() + 30;
  while (performance.now() < end) await turn();
}
