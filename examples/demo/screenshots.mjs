import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "../../scripts/lib/build.mjs";
import { install } from "../../scripts/lib/install.mjs";
import { root, stop } from "../../scripts/lib/run.mjs";

/*
 * Takes the pictures in `docs/cockpit` of the week that the demo makes, in the browser of this machine: npm
 * run screenshots [-- FOLDER]. With --all: every screen, in both themes, at 320 and 1440 px.
 */

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = PLACES.find((path) => existsSync(path));
if (executablePath === undefined) stop("There is no Chromium.", "On Debian: apt-get install chromium");

/** A job whose last tick was skipped, and one that fails since Tuesday. */
const [SKIPPED, FAILING] = ["archive-tables", "invoice-pdf"];
const SCREENS = {
  now: "",
  timeline: "timeline",
  jobs: "jobs",
  job: `jobs/${FAILING}`,
  why: `jobs/${SKIPPED}/why`,
  runs: "runs?status=failed",
  run: "",
  queues: "queues",
  queue: "queues/mail",
  locks: "locks",
  audit: "audit",
};
/** The pictures of the documents. */
const SHOWN = [
  ["now", "dark", 1440],
  ["timeline", "light", 1440],
  ["why", "light", 1440],
  ["run", "dark", 1440],
];

const args = process.argv.slice(2).filter((word) => word !== "--all");
const isAll = args.length < process.argv.length - 2;
const folder = join(root, args[0] ?? "docs/cockpit");
const wanted = isAll
  ? Object.keys(SCREENS).flatMap((name) =>
      ["dark", "light"].flatMap((theme) => [320, 1440].map((width) => [name, theme, width])),
    )
  : SHOWN;

await install();
await build();
const work = mkdtempSync(join(tmpdir(), "ojm-screenshots-"));
const store = join(work, "demo.db");
const node = ["--import", "tsx", "--conditions=@ojm/source", "examples/demo/main.ts"];
// The demo continues in real time, so that the pictures show a fleet at work.
const demo = spawn(process.execPath, [...node, "--store", store], { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
await said(demo, "Ctrl-C");
const words = [join(root, "packages/cli/dist/main.js"), "ui", "--read-only", "--port", "0"];
const server = spawn(process.execPath, [...words, "--store", `sqlite:${store}`], {
  stdio: ["ignore", "pipe", "inherit"],
});
try {
  const url = String((await server.stdout.take(1).toArray())[0]).trim();
  await takeAll(url);
} finally {
  server.kill();
  demo.kill("SIGINT");
  await once(demo, "exit");
  rmSync(work, { recursive: true, force: true });
}

/** Waits until a program prints a word, and keeps reading. */
async function said(child, word) {
  let text = "";
  await new Promise((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (part) => {
      text += part;
      if (text.includes(word)) resolve();
    });
    child.once("exit", () => reject(new Error(`the demo ended:\n${text}`)));
  });
}

async function takeAll(url) {
  const { chromium } = createRequire(join(root, "packages/ui/package.json"))("playwright-core");
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  const context = await browser.newContext({ timezoneId: "Europe/Lisbon", locale: "en-GB" });
  const page = await context.newPage();
  await page.goto(url);
  await page.locator('[data-state="live"]').waitFor({ state: "attached" });
  // Fetch it in the page: Node cannot resolve hosts below localhost if the resolver of the system cannot.
  const path = `api/v1/runs?name=${FAILING}&limit=1`;
  const { runs } = await page.evaluate(async (path) => (await fetch(path)).json(), new URL(path, url).href);
  SCREENS.run = `runs/${encodeURIComponent(runs[0].id)}`;
  mkdirSync(folder, { recursive: true });
  for (const [name, theme, width] of wanted) {
    await page.emulateMedia({ colorScheme: theme });
    await page.setViewportSize({ width, height: width < 700 ? 720 : 900 });
    await page.goto(new URL(SCREENS[name], url).href);
    await page.locator('[data-state="live"]').waitFor({ state: "attached" });
    // A page has several parts that load.
    await page.locator("body:not(:has(.skeleton))").waitFor({ state: "attached" });
    const path = join(folder, isAll ? `${name}-${theme}-${width}.png` : `${name}.png`);
    await page.screenshot({ path });
    console.log(path);
  }
  await browser.close();
}
