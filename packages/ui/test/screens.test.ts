import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { violationsOf, whyNoPages } from "./support/browser.js";
import { type Fleet, leftAlone, seed } from "./support/fleet.js";
import { Cockpit } from "./support/pages.js";

const missing = whyNoPages();

/** Markup and scripts, as they may be in the name of a job or in an error. */
const HOSTILE = [
  "<img src=x onerror=alert(1)>",
  "<script>alert(1)</script>",
  '"><svg onload=alert(1)>',
  "javascript:alert(1)",
  "'-alert(1)-'",
  "{{constructor.constructor('alert(1)')()}}",
  "</title><script>alert(1)</script>",
];

describe.skipIf(missing !== undefined)(`the pages${missing === undefined ? "" : `: ${missing}`}`, () => {
  let cockpit: Cockpit;
  let fleet: Fleet;

  beforeAll(async () => {
    cockpit = await Cockpit.open();
    fleet = await seed(cockpit);
  });

  afterAll(async () => {
    await fleet?.running.end();
    await cockpit?.close();
  });

  const screens = (): readonly (readonly [path: string, heading: string, text: string | RegExp])[] => [
    ["", "Now", "too many connections for role backup"],
    ["timeline", "Timeline", "nightly"],
    ["jobs", "Jobs", "At 02:00"],
    ["jobs/nightly", "nightly", "Europe/Lisbon"],
    ["jobs/partners/why", "Why is partners not running?", "the partner moves its server"],
    ["runs", "Runs", "backup"],
    [`runs/${encodeURIComponent(fleet.failed)}`, "backup", "no connection to db-2"],
    ["queues", "Queues", "by ana: the mail server moves"],
    ["queues/mail", "mail", "no route to mx"],
    [`queues/mail/items/${fleet.item}`, fleet.item, "The data is hidden"],
    ["locks", "Locks and processes", "import"],
    ["audit", "Audit", /partners|No actions recorded/],
    ["no/such/page", "This page does not exist", "Press g, then n"],
  ];

  /**
   * `npm test` checks each screen once, alternating light and dark; `npm run test:all` checks the other half.
   */
  const looks = (turn: 0 | 1) => async (): Promise<void> => {
    for (const [i, [path, heading, text]] of screens().entries()) {
      const isDark = i % 2 === turn;
      const width = isDark ? 320 : 1440;
      const page = await cockpit.page(path);
      await page.emulateMedia({ colorScheme: isDark ? "dark" : "light", reducedMotion: "reduce" });
      await page.setViewportSize({ width, height: 900 });
      await page.getByRole("heading", { name: heading, level: 1, exact: true }).waitFor();
      await page.locator("main").getByText(text).first().waitFor();
      expect(await violationsOf(page), `${path} ${isDark ? "dark" : "light"} ${width}`).toEqual([]);
      const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
      expect(overflow, `${path} at ${width} px is too wide`).toBeLessThanOrEqual(0);
      await page.close();
    }
    expect(cockpit.faults).toEqual([]);
  };
  it("shows each screen, wide or at 320 px, and axe finds nothing wrong", looks(0));
  it("shows each screen in the other theme and width, and axe finds nothing wrong", { tags: ["full"] }, looks(1));

  it("changes its colours at once, without a fade, for those who want no motion", async () => {
    const page = await cockpit.page("audit");
    await page.emulateMedia({ reducedMotion: "reduce" });
    const [light, dark] = (await page.evaluate(`["light", "dark"].map((theme) => {
      document.documentElement.dataset.theme = theme;
      return getComputedStyle(document.querySelector(".brand .word")).color;
    })`)) as string[];
    expect(dark).not.toBe(light);
    await page.close();
  });

  it("keeps what is looked for on the timeline when the window changes its width", async () => {
    const page = await cockpit.page("timeline");
    await page.setViewportSize({ width: 1440, height: 900 });
    const lanes = page.locator("main").getByRole("link");
    await lanes.filter({ hasText: "backup" }).first().waitFor();
    await page.getByRole("searchbox", { name: "Find a job" }).fill("nightly");
    await lanes.filter({ hasText: "backup" }).first().waitFor({ state: "detached" });
    const asked = page.waitForRequest(/\/timeline\?/, { timeout: 30_000 });
    await page.setViewportSize({ width: 320, height: 900 });
    expect(new URL((await asked).url()).searchParams.get("q")).toBe("nightly");
    await page.close();
  });

  it("shows hostile names, errors and log lines as text", async () => {
    const { manager } = cockpit;
    for (const hostile of HOSTILE) {
      const body = manager.run(hostile, async ({ log }) => {
        log.info(hostile);
        log.info(`\u001b]8;;javascript:alert(1)\u0007${hostile}\u001b]8;;\u0007`);
        throw new Error(hostile);
      });
      await body.catch(() => {});
    }
    for (const hostile of HOSTILE) {
      const page = await cockpit.page(`jobs/${encodeURIComponent(hostile)}`);
      await page.getByRole("heading", { name: hostile, level: 1, exact: true }).waitFor();
      await page.locator("table.runs a").first().click();
      await page.locator(".line .text").getByText(hostile).first().waitFor();
      await page.close();
    }
    const now = await cockpit.page("");
    for (const hostile of HOSTILE) await now.locator(".problem").getByText(hostile).first().waitFor();
    await now.close();
    expect(cockpit.faults).toEqual([]);
  });

  it("says once that no process runs some jobs, and on the page of each one why, and what is overdue", async () => {
    await leftAlone(cockpit, ["rare", "rarer"]);
    const now = await cockpit.page("");
    const problems = now.getByRole("region", { name: "Problems" });
    await problems.getByText("no process runs these schedules").waitFor();
    expect(await problems.getByText("No process runs it").count()).toBe(1);
    await problems.getByRole("button", { name: "2 jobs" }).click();
    await problems.getByRole("link", { name: "Why rarer is not running" }).click();
    await now.getByRole("heading", { name: "Why is rarer not running?", level: 1 }).waitFor();
    await now.locator('.reasons [data-first="true"]').getByText("no process runs this schedule").waitFor();
    await now.getByRole("link", { name: "The job" }).click();
    await now.getByRole("region", { name: "Ticks" }).getByText("no process has decided on it so far").waitFor();
    const next = now.locator("dl div").filter({ hasText: /^Next/ });
    expect(await next.textContent()).toBe("NextNo process runs it");
    await now.keyboard.press("g");
    await now.keyboard.press("j");
    const row = now.getByRole("row", { name: /rarer / });
    await row.getByText(/tick.* overdue, since/).waitFor();
    expect(await violationsOf(now)).toEqual([]);
    await now.close();
  });

  it("has an axis of 24 hours below the next 24 hours, also beside a job that is due each second", async () => {
    await cockpit.scheduler.add("each-second", { every: 1_000 }, async () => {});
    const page = await cockpit.page("");
    const end = page.locator(".density time");
    await expect
      .poll(async () => Date.parse((await end.getAttribute("datetime")) ?? "") - Date.now())
      .toBeGreaterThan(23 * 3_600_000);
    // Its day is not today.
    expect(await end.textContent()).toMatch(/^[A-Z][a-z]{2} \d\d:\d\d$/);
    await page.close();
    await cockpit.scheduler.remove("each-second");
  });

  it("offers why a job does not run only for one that something keeps from running", async () => {
    for (const [name, heading] of [
      ["nightly", "Last and next"],
      ["partners", "Why it is not running now"],
      ["import", "What it is doing now"],
      ["backup", "Last run"],
    ] as const) {
      const page = await cockpit.page(`jobs/${name}`);
      await page.getByRole("heading", { name: heading, level: 2 }).waitFor();
      await page.close();
    }
  });

  it("shows the end of a hold as such", async () => {
    const { manager } = cockpit;
    await manager.hold("server-move", { reason: "the server moves", author: "ana" });
    await manager.unlock("server-move", { reason: "it has moved", author: "ana" });
    const page = await cockpit.page("audit?name=server-move");
    await page.getByRole("row", { name: /^End hold server-move ana it has moved/ }).waitFor();
    expect(await page.getByText("Force unlock").count()).toBe(0);
    await page.close();
  });

  it("says that it is signed out, and how to sign in, to who has no session", async () => {
    const page = await cockpit.page("");
    await cockpit.context.clearCookies();
    await page.reload();
    await page.getByRole("heading", { name: "You are signed out" }).waitFor();
    await page.close();
  });
});
