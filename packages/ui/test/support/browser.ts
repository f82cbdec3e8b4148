import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { newerThan } from "./stale.js";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = PLACES.find((path) => existsSync(path));
const BUILT = fileURLToPath(new URL("../../dist/web/index.html", import.meta.url));
const SOURCES = fileURLToPath(new URL("../../web", import.meta.url));

/** Why the pages cannot be tested here; `undefined` if they can. Throws if they are outdated. */
export function whyNoPages(): string | undefined {
  if (executablePath === undefined) return "chromium is not installed (Debian: apt-get install chromium)";
  if (!existsSync(BUILT)) return "the pages are not built (node scripts/build.mjs)";
  const newer = newerThan(BUILT, SOURCES);
  if (newer === undefined) return undefined;
  throw new Error(`the built pages are older than ${newer}: build them (npx vite build web, in packages/ui)`);
}

let shared: Promise<Browser> | undefined;

/** The browser of this process, which its test files share. It ends with the process. */
export function browserOfProcess(): Promise<Browser> {
  shared ??= launch();
  return shared;
}

async function launch(): Promise<Browser> {
  // A browser in a container may lack the rights for a sandbox, and may have a small /dev/shm.
  const args = ["--no-sandbox", "--disable-dev-shm-usage"];
  const browser = await chromium.launch({ args, ...(executablePath !== undefined && { executablePath }) });
  // A crashed browser fails the tests that used it, but not those of later files.
  browser.on("disconnected", () => {
    shared = undefined;
  });
  return browser;
}

/** A separate profile, whose pages share one worker. */
export async function contextOf(browser: Browser, timezoneId = "Europe/Lisbon"): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, timezoneId });
  context.setDefaultTimeout(30_000);
  return context;
}

/** Records what a page must not do: errors, requests outside `base`, violations of its policy. */
export function watch(page: Page, base: URL, faults: string[]): void {
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => {
    if (/Content Security Policy|Refused to/i.test(message.text())) faults.push(`policy: ${message.text()}`);
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(base.href)) faults.push(`request to ${request.url()}`);
  });
}

/** Types into the dialog that was asked for. Some open only after an answer of the server. */
export async function typeReason(page: Page, reason: string): Promise<void> {
  await page.locator("dialog textarea[name=reason]:focus").waitFor();
  await page.keyboard.type(reason);
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/**
 * The violations that axe finds on a page, with their elements and colours. `only`: the rules to check,
 * including those that are off by default.
 */
export async function violationsOf(page: Page, only?: readonly string[]): Promise<readonly string[]> {
  // Through the debugger protocol: the policy of the page forbids foreign scripts, and stays in force.
  await page.evaluate(axe);
  const options = { resultTypes: ["violations"], ...(only && { runOnly: only }) };
  const found = (await page.evaluate(`axe.run(${JSON.stringify(options)})`)) as {
    readonly violations: readonly {
      readonly id: string;
      readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary: string }[];
    }[];
  };
  return found.violations.map(({ id, nodes }) => {
    const elements = nodes.map(({ target, failureSummary }) => `${target.join(" ")} (${failureSummary})`);
    return `${id}: ${elements.join(", ")}`;
  });
}
