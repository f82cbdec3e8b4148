import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterEach, beforeEach, describe } from "vitest";
import { browserOfProcess, contextOf, whyNoPages } from "./browser.js";
import { Mount } from "./mount.js";

/** The fixtures of a test: a UI on a store in memory, and a browser profile. */
export class Pages {
  mount!: Mount;
  context!: BrowserContext;

  /** Opens a page at a path, and waits until it is live. */
  async open(path: string, width = 1440): Promise<Page> {
    const page = await this.context.newPage();
    await page.goto(`${this.mount.url}${path}`);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.setViewportSize({ width, height: 900 });
    return page;
  }

  async begin(browser: Browser, zone?: string): Promise<void> {
    [this.context, this.mount] = await Promise.all([contextOf(browser, zone), Mount.open()]);
  }

  async end(): Promise<void> {
    await this.context.close();
    await this.mount.close();
  }
}

interface PagesOptions {
  /** The time zone of the browser. */
  readonly zone?: string;
  /** `full` for tests that `npm test` leaves to `npm run test:all`: each takes seconds. */
  readonly tags?: readonly "full"[];
}

type PageTests = (pages: Pages) => void;

/** Tests in one browser, each with its own UI. Without a browser they are skipped: their title says why. */
export function describePages(title: string, ...[first, second]: [PageTests] | [PagesOptions, PageTests]): void {
  const { tests, zone, tags = [] } = typeof first === "function" ? { tests: first } : { tests: second, ...first };
  const missing = whyNoPages();
  const whole = missing === undefined ? title : `${title}: ${missing}`;
  describe.skipIf(missing !== undefined)(whole, { tags: [...tags] }, () => {
    const pages = new Pages();
    beforeEach(async () => pages.begin(await browserOfProcess(), zone));
    afterEach(() => pages.end());
    tests?.(pages);
  });
}
