import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = PLACES.find((path) => existsSync(path));

/** Why the machine has no browser, if it has none. */
export function browserMissing(): string | undefined {
  return executablePath === undefined ? "chromium is not installed (apt-get install chromium)" : undefined;
}

/** Starts a browser that finds no host but this one: a font from elsewhere fails at once. */
export function openBrowser(): Promise<Browser> {
  const args = ["--no-sandbox", "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"];
  return chromium.launch({ args, ...(executablePath !== undefined && { executablePath }) });
}

/** When a page painted first, painted content first, and showed data. In ms since its address was opened. */
export interface Load {
  readonly paint: number;
  readonly contentful: number;
  readonly shown: number;
  /** The end of its last task of 50 ms or longer before a second without such tasks. */
  readonly interactive: number;
}

/** Records when `selector` appears: each frame checks for it, and the next task comes after its paint. */
const noteShown = (selector: string): string => `(() => {
  window.long = [];
  new PerformanceObserver((list) => window.long.push(...list.getEntries().map((entry) => entry.startTime + entry.duration)))
    .observe({ type: "longtask", buffered: true });
  window.shownAt = new Promise((resolve) => {
    const look = () => {
      if (document.querySelector(${JSON.stringify(selector)}) === null) return requestAnimationFrame(look);
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => resolve(performance.now());
        port2.postMessage(0);
      });
    };
    requestAnimationFrame(look);
  });
})()`;

const LOAD = `(async () => {
  const shown = await window.shownAt;
  const last = () => Math.max(shown, ...window.long);
  while (performance.now() < last() + 1_000) await new Promise((resolve) => setTimeout(resolve, 100));
  const painted = (name) => performance.getEntriesByName(name)[0]?.startTime ?? NaN;
  return { paint: painted("first-paint"), contentful: painted("first-contentful-paint"), shown, interactive: last() };
})()`;

/** Opens a page with nothing in the cache, on a processor that is `slower` times as slow. */
export async function openPage(browser: Browser, url: string, selector: string, slower = 1): Promise<[Page, Load]> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(noteShown(selector));
  const session = await context.newCDPSession(page);
  await session.send("Emulation.setCPUThrottlingRate", { rate: slower });
  await page.goto(url);
  return [page, (await page.evaluate(LOAD)) as Load];
}

/** Opens a page, and closes it. */
export async function load(browser: Browser, url: string, selector: string, slower: number): Promise<Load> {
  const [page, measured] = await openPage(browser, url, selector, slower);
  await page.context().close();
  return measured;
}
