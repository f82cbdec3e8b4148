import { setTimeout as sleep } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { fill } from "../cockpit/fill.js";
import { nameOf } from "../cockpit/records.js";
import { loadRivals } from "../rivals.js";
import { type OpenStore, stores } from "../stores.js";
import { type Load, load } from "./browser.js";
import { openBullBoard, openOurs, type Screen, type Site } from "./site.js";
import { type Weight, weigh } from "./weigh.js";

/** How many jobs, or queues, have runs. */
const NAMES = 20;

/** How many times slower than this one the processor of a phone is. */
const SLOWER = 6;

const SCREENS: readonly Screen[] = ["first page", "runs of a job"];

type FillQueues = (url: string, names: readonly string[], total: number) => Promise<void>;

/** The cost of a screen of a product. */
export interface RivalRow {
  readonly screen: Screen;
  readonly product: string;
  readonly weight: Weight;
  /** Each load, in the order of the rounds. */
  readonly loads: readonly Load[];
}

/** Loads our pages and those of bull-board in turns, on one Redis with the same number of runs of each. */
export async function measureRivals(
  browser: Browser,
  { runs, rounds }: { readonly runs: number; readonly rounds: number },
  onScreen: (rows: readonly RivalRow[]) => void,
): Promise<void> {
  const store = stores.find(({ name }) => name === "redis");
  const why = store === undefined ? "no store" : store.missing();
  if (store === undefined || why !== undefined) {
    console.log(`rivals not measured: ${why}`);
    return;
  }
  const sites: Site[] = [];
  const open = await store.open();
  try {
    sites.push(...(await openSites(open, runs)));
    for (const screen of SCREENS) onScreen(await measureScreen(browser, sites, screen, rounds));
  } finally {
    for (const site of sites) await site.close();
    await open.close();
  }
}

async function openSites(open: OpenStore, runs: number): Promise<Site[]> {
  const names = Array.from({ length: NAMES }, (_, i) => nameOf(i));
  await fill(open, { total: runs, names: NAMES, now: Date.now() });
  const { fillQueues } = (await loadRivals("queues.ts")) as { readonly fillQueues: FillQueues };
  await fillQueues(open.addressOf("bull-board"), names, runs);
  return [await openOurs(open.options, nameOf(0)), await openBullBoard(open.addressOf("bull-board"), names)];
}

async function measureScreen(
  browser: Browser,
  sites: readonly Site[],
  screen: Screen,
  rounds: number,
): Promise<RivalRow[]> {
  const rows = sites.map((site) => ({ site, loads: [] as Load[], weight: undefined as Weight | undefined }));
  // The servers load their code with the first answer: it is weighed, but not timed.
  for (const row of rows) row.weight = await weigh(browser, row.site.url, ...row.site.screens[screen]);
  for (let round = 0; round < rounds; round++) {
    // The order alternates, so that neither always follows the other.
    for (const { site, loads } of round % 2 === 0 ? rows : [...rows].reverse()) {
      const [path, selector] = site.screens[screen];
      loads.push(await load(browser, new URL(path, site.url).href, selector, SLOWER));
      // Remaining work of the server for the closed page must not count for the next one.
      await sleep(200);
    }
  }
  return rows.flatMap(({ site, loads, weight }) =>
    weight === undefined ? [] : [{ screen, product: site.name, weight, loads }],
  );
}
