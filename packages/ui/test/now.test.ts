/**
 * The page Now, the pages it links to, and the width of all pages, in a browser. The laws of their data are
 * tested in src/view and src/api.
 * @module-tag full
 */
import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { openJobManager } from "@ojm/core";
import { tsArgs } from "@ojm/testing/programs";
import type { Page } from "playwright-core";
import { expect, it, onTestFinished } from "vitest";
import { openUiServer } from "../src/serve-ui.js";
import { typeReason, violationsOf } from "./support/browser.js";
import { describePages } from "./support/describe-pages.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const WIDTHS = [360, 640, 768, 1024, 1280, 1366, 1440];

/** A zone whose clocks never change, and that is not UTC. */
const ZONE = "Asia/Tokyo";

describePages("what the engineer on call sees", { zone: ZONE }, (pages) => {
  const fails = (error: string) => (): Promise<never> => Promise.reject(new Error(error));
  const checkColors = async (page: Page): Promise<void> => {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      expect(await violationsOf(page), `${page.url()} ${colorScheme}`).toEqual([]);
    }
  };

  it("is not wider than the window, at seven widths on every page, with all columns of Jobs", async () => {
    const { manager, scheduler } = pages.mount;
    const name = "warehouse/reconciliation-of-all-partners";
    await scheduler.add(name, { cron: "17 3 * * 1-5", timeZone: "Europe/Lisbon" }, () => {});
    await scheduler.add("held", { every: HOUR }, () => {});
    await manager.hold("held", { reason: "the database of the warehouse is moved to another rack", author: "ana" });
    await pages.mount.runAgo("slow", 40 * HOUR, { until: 12.3 * HOUR });
    for (let i = 0; i < 12; i++) await manager.run(name, fails("too many connections for role backup")).catch(() => {});
    const going = await pages.mount.ago(20 * MINUTE, () => manager.start("going"));
    await pages.mount.ago(17 * MINUTE, () => manager.cancel("going", { reason: "wrong month", wait: 0 }));
    let failed = "";
    for await (const { id } of manager.history({ name, limit: 1 })) failed = id;
    const reason = "the partner sent the files of the wrong month, and sends those of the right one now";
    const by = "run now by operator-of-the-night (2001:db8:85a3:8d3:1319:8a2e:370:7348): ";
    await pages.mount.ago(40 * HOUR, () => manager.run("search-index", () => {}, { trigger: `${by}${reason}` }));
    await pages.mount.ago(30 * HOUR, async () => {
      const run = await manager.start("search-index/of-all-partners", { trigger: `backfill by ana: ${reason}` });
      await manager.unlock("search-index/of-all-partners", { author: "operator-of-the-night", reason });
      await run.end().catch(() => {});
    });
    const page = await pages.open("");
    for (const path of ["", "timeline", "jobs", `jobs/${encodeURIComponent(name)}`, "jobs/held/why"].concat([
      "runs",
      "runs?q=search-index",
      `runs/${encodeURIComponent(failed)}`,
      "locks",
      "audit",
      "no/such/page",
    ])) {
      await page.goto(`${pages.mount.url}${path}`);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await page.locator("main .skeleton").waitFor({ state: "detached" });
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 900 });
        const over = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
        expect(over, `${path} at ${width} px is too wide`).toBeLessThanOrEqual(0);
        if (path.startsWith("runs?") && width >= 640) {
          const rows = await page.locator("main tbody tr").evaluateAll((all) => all.map((row) => row.offsetHeight));
          expect(Math.max(...rows), `rows at ${width} px`).toBeLessThan(100);
        }
        if (path !== "jobs") continue;
        const row = page.getByRole("row", { name: /\bslow/ });
        const cells = [
          ...["Trend", "Success rate"].map((label) => row.locator(`[data-label="${label}"]`)),
          row.getByRole("button", { name: "Actions of slow" }),
        ];
        for (const cell of cells) {
          const box = await cell.boundingBox();
          expect((box?.x ?? Number.NaN) + (box?.width ?? 0), `${cell} at ${width} px`).toBeLessThanOrEqual(width);
        }
      }
    }
    await going.end().catch(() => {});
  });

  it("runs failed jobs again from the list of problems: one of a group, all of a group, and ends a pause", async () => {
    const { manager, scheduler } = pages.mount;
    let isBack = false;
    const bills = async (): Promise<void> => {
      if (!isBack) throw new Error("connect ECONNREFUSED 10.0.3.17:5432");
    };
    for (const name of ["billing/a", "billing/b", "billing/c"]) {
      await scheduler.add(name, { cron: "0 0 1 1 *" }, bills);
      await scheduler.runNow(name, { reason: "it is due", args: { month: "2026-11" } });
    }
    await scheduler.add("mail", { cron: "0 0 1 1 *" }, () => {});
    await scheduler.pause("mail", { reason: "the mail server moves", author: "ben" });
    const page = await pages.open("");
    const problems = page.getByRole("region", { name: "Problems" });
    await problems.getByRole("button", { name: "3 jobs" }).click();
    await checkColors(page);
    isBack = true;
    const jobs = problems.getByRole("list", { name: "The 3 jobs" });
    await jobs
      .getByRole("listitem")
      .filter({ hasText: "billing/a" })
      .getByRole("button", { name: "Run again" })
      .click();
    await typeReason(page, "the database is back");
    await page.keyboard.press("Control+Enter");
    const others = problems.locator(".problem").filter({ hasText: "2 jobs" });
    await others.getByRole("button", { name: "Run all again" }).click();
    await page.getByRole("dialog", { name: "Run 2 jobs again" }).waitFor();
    await typeReason(page, "the database is back");
    await page.keyboard.press("Control+Enter");
    await page.getByText("2 of 2 started.").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
    await others.waitFor({ state: "detached" });
    await problems.getByRole("button", { name: "Resume schedule" }).click();
    await typeReason(page, "it has moved");
    await page.keyboard.press("Control+Enter");
    await problems.getByText("No problems").waitFor();
    for await (const { status, args } of manager.history({ name: "billing/c", limit: 1 }))
      expect([status, args]).toEqual(["completed", { month: "2026-11" }]);
  });

  it("has a run that ignores its cancel as a problem, with its request, and an amber toast until it ends", async () => {
    const { manager } = pages.mount;
    const run = await pages.mount.ago(20 * MINUTE, () => manager.start("etl/import"));
    const stop = (ms: number): Promise<unknown> =>
      pages.mount.ago(ms, () => manager.cancel("etl/import", { reason: "wrong month", author: "ana", wait: 0 }));
    await stop(17 * MINUTE + 10_000);
    const page = await pages.open("");
    const problem = page.getByRole("region", { name: "Problems" }).locator(".problem");
    await problem.getByText(/^asked to stop 17 min ago by ana, still running: wrong month$/).waitFor();
    await problem.getByText("Ignores cancel").waitFor();
    await checkColors(page);
    await problem.getByRole("button", { name: "Force unlock" }).click();
    await page.getByRole("dialog", { name: "Force unlock etl/import" }).getByText(`pid ${process.pid}`).waitFor();
    await page.keyboard.press("Escape");
    await problem.getByRole("link", { name: "The run of etl/import" }).click();
    await page
      .locator(".note[data-tone=warn]")
      .getByText(/^Stop requested 17 min ago, at .*, by ana, still running: wrong month$/)
      .waitFor();
    await checkColors(page);
    await page.getByRole("button", { name: "Cancel run" }).click();
    await typeReason(page, "still the wrong month");
    await page.keyboard.press("Control+Enter");
    const toast = page.locator(".toast");
    await toast.getByText('"etl/import" was asked to stop, and is still running. See the run').waitFor();
    expect(await toast.locator(".state").getAttribute("data-tone")).toBe("warn");
    await run.end().catch(() => {});
    await toast.getByText('"etl/import" has ended. See the run').waitFor();
    expect(await toast.locator(".state").getAttribute("data-tone")).toBe("completed");
  });

  it("has the failure first of a job that failed several times, and a row that leads to the failed run", async () => {
    for (let i = 0; i < 6; i++)
      await pages.mount.manager.run("nightly/invoices", fails("no route to db-2")).catch(() => {});
    const page = await pages.open("jobs/nightly%2Finvoices");
    const first = page.locator('.reasons [data-first="true"]');
    await first.getByText(/no route to db-2/).waitFor();
    expect(await first.locator(".state").getAttribute("data-tone")).toBe("failed");
    await page.locator(".reasons").getByText("Ready", { exact: true }).waitFor();
    await page.locator(".facts").getByText("Failed 6 times in a row").waitFor();
    await page.getByRole("link", { name: /^Now/ }).click();
    const row = page.getByRole("region", { name: "Problems" }).locator(".problem");
    expect(await row.getByRole("link").allTextContents()).toEqual([
      "nightly/invoices",
      "The run of nightly/invoices",
      "Why",
    ]);
    await row.getByText(/no route to db-2/).click();
    await page.getByRole("heading", { name: "nightly/invoices", level: 1 }).waitFor();
    expect(decodeURIComponent(page.url())).toMatch(/\/runs\/nightly\/invoices@/);
    await page.getByText("no route to db-2").first().waitFor();
  });

  it("has one row for jobs that failed with equal errors, which opens to the jobs", async () => {
    const { manager } = pages.mount;
    for (const i of [1, 2, 3])
      await manager.run(`load/${i}`, fails(`connect ECONNREFUSED 10.0.3.17:543${i}`)).catch(() => {});
    await manager.run("other", fails("no route to db-2")).catch(() => {});
    const page = await pages.open("");
    const region = page.getByRole("region", { name: "Problems" });
    const row = region.locator(".problem").filter({ hasText: "3 jobs" });
    await row.getByText(/^connect ECONNREFUSED 10\.0\.3\.17:543\d$/).waitFor();
    expect(await region.locator(".problem").count()).toBe(2);
    await row.getByRole("button", { name: "3 jobs" }).click();
    const jobs = region.getByRole("list", { name: "The 3 jobs" });
    expect(await jobs.locator(".name").allTextContents()).toEqual(["load/1", "load/2", "load/3"]);
    await jobs.getByRole("link", { name: "Why load/2 failed" }).waitFor();
    await jobs
      .getByText("load/2", { exact: true })
      .locator("..")
      .click({ position: { x: 2, y: 2 } });
    await page.getByRole("heading", { name: "load/2", level: 1 }).waitFor();
    expect(decodeURIComponent(page.url())).toMatch(/\/runs\/load\/2@/);
  });

  it("has a toast that names the job and leads to the run, and times in the zone of the reader, of 24 hours", async () => {
    await pages.mount.scheduler.add("nightly/invoices", { cron: "0 * * * *" }, () => {});
    const page = await pages.open("jobs/nightly%2Finvoices");
    await page.getByRole("button", { name: "Run now" }).click();
    await typeReason(page, "for ana");
    await page.keyboard.press("Control+Enter");
    const toast = page.locator(".toast");
    await toast.getByText('"nightly/invoices" started. See the run').waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await toast.getByRole("link", { name: "See the run" }).click();
    await expect.poll(() => decodeURIComponent(page.url())).toMatch(/\/runs\/nightly\/invoices@/);

    await page.goto(`${pages.mount.url}jobs/nightly%2Finvoices`);
    await page.getByRole("button", { name: "Backfill" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("From (Asia/Tokyo)").fill("2026-01-01 23:30");
    await dialog.getByLabel("To", { exact: true }).fill("2026-01-02 02:30");
    await dialog.getByLabel("Reason").fill("missing");
    await dialog.getByRole("button", { name: "Preview" }).click();
    const note = dialog.locator(".note");
    await note.getByText(/^Would run 3 ticks/).waitFor();
    // In Tokyo it is the second day of the year; in UTC it is 15 h on the first.
    expect(await note.locator("time").allTextContents()).toEqual(["1 Jan 23:30", "2 Jan 02:30"]);
    // A native field shows AM and PM, whatever the language of the page.
    expect(await page.locator("input[type^=datetime], input[type=time]").count()).toBe(0);
    await checkColors(page);
  });

  it("has the times of reasons and errors in the zone of the reader, on the page of the job and of the run", async () => {
    const { manager } = pages.mount;
    const run = await manager.start("feed");
    const reason = "replaced by its tick of 2026-01-02T21:00:00.000Z";
    await manager.unlock("feed", { reason });
    await run.end().catch(() => {});
    await manager.run("feed", fails(reason)).catch(() => {});
    const page = await pages.open("jobs/feed");
    const runs = page.getByRole("region", { name: "Runs", exact: true }).getByRole("row", { name: /Failed/ });
    await runs.getByText("replaced by its tick of 3 Jan 06:00").waitFor();
    expect(await runs.locator(".under").getAttribute("title")).not.toContain("21:00");
    expect(await page.locator("main").textContent()).not.toContain("2026-01-02T");
    for (const state of ["Failed", "Cancelled"]) {
      await page
        .getByRole("region", { name: "Runs", exact: true })
        .getByRole("link", { name: new RegExp(state) })
        .click();
      await page
        .locator(".failed")
        .getByText(/replaced by its tick of 3 Jan 06:00/)
        .first()
        .waitFor();
      await page.goBack();
    }
  });

  it("has the chosen button, the page of the menu and the dot in forced colours, and no menu on paper", async () => {
    const page = await pages.open("timeline");
    await page.emulateMedia({ forcedColors: "active" });
    const ground = (selector: string, part = ""): Promise<string> =>
      page.evaluate(`getComputedStyle(document.querySelector('${selector}'), "${part}").backgroundColor`);
    for (const [selector, part] of [["main [aria-pressed=true]"], [".nav [aria-current=page]"], [".dot", "::before"]])
      expect(await ground(selector ?? "", part), selector).not.toBe(await ground("html"));
    expect(await violationsOf(page)).toEqual([]);
    await page.emulateMedia({ forcedColors: "none", media: "print" });
    expect(await page.locator(".side").isVisible()).toBe(false);
    expect((await page.locator("main").boundingBox())?.x).toBe(0);
  });

  it("has targets that are large enough on Locks", async () => {
    const { manager, scheduler } = pages.mount;
    for (let i = 0; i < 14; i++) await scheduler.add(`job ${i}`, { every: HOUR }, () => {});
    const run = await manager.start("import");
    const page = await pages.open("locks");
    await page.getByRole("link", { name: "job 9", exact: true }).waitFor();
    for (const width of [1440, 360]) {
      await page.setViewportSize({ width, height: 900 });
      expect(await violationsOf(page, ["target-size"])).toEqual([]);
    }
    await checkColors(page);
    await page
      .getByRole("row", { name: /^import/ })
      .getByRole("link", { name: /^the run of / })
      .click();
    await page.getByRole("heading", { name: "import", level: 1 }).waitFor();
    await run.end();
    const next = await manager.start("import");
    await page.getByRole("link", { name: /^A newer run: .* running ›$/ }).click();
    await expect.poll(() => decodeURIComponent(page.url())).toContain(next.id);
    await next.end();
  });

  it("says that a store is empty, where it is, and three lines that create a first job in a program", async () => {
    const page = await pages.open("");
    await page.getByRole("heading", { name: "This store is empty" }).waitFor();
    expect(await page.getByText("No problems").count()).toBe(0);
    await page.locator("code").getByText("memory", { exact: true }).waitFor();
    await checkColors(page);
    const lines = ((await page.locator("pre").textContent()) ?? "").split("\n");
    expect(lines).toHaveLength(3);
    const program = lines.join("\n").replace(/import (.*) from (.*);/, "const $1 = await load($2);");
    const { constructor: compile } = async (): Promise<void> => {};
    const start = compile("manager", "load", `${program} return scheduler;`) as (
      manager: unknown,
      load: (name: string) => Promise<unknown>,
    ) => Promise<{ close(): Promise<void> }>;
    const scheduler = await start(pages.mount.manager, (name) => import(name));
    onTestFinished(() => scheduler.close());
    await page.getByRole("region", { name: "Next 24 hours" }).getByRole("link", { name: "hello" }).waitFor();
  });

  it("says the same of a store in a file, whose three lines create a first job in a shell", async () => {
    const folder = mkdtempSync(join(tmpdir(), "ojm's store "));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, "ojm.db");
    const channel = { type: "sqlite", args: { file } };
    const manager = await openJobManager({ chJobs: channel, chLocks: channel, heartbeatThread: false });
    const ui = await openUiServer({ manager });
    onTestFinished(async () => {
      await ui.close();
      await manager.close();
    });
    const page = await pages.context.newPage();
    await page.goto(ui.url);
    await page.getByRole("heading", { name: "This store is empty" }).waitFor();
    await page.locator("code").getByText(`sqlite:${file}`).waitFor();
    const lines = (await page.locator("pre").textContent()) ?? "";
    expect(lines.split("\n")).toHaveLength(3);
    const ojm = join(folder, "ojm");
    const main = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url));
    const program = [process.execPath, ...tsArgs(), main].map((word) => `'${word}'`).join(" ");
    writeFileSync(ojm, `#!/bin/sh\nexec ${program} "$@"\n`);
    chmodSync(ojm, 0o755);
    const env = { ...process.env, PATH: `${folder}${delimiter}${process.env["PATH"]}` };
    const { stdout } = await promisify(execFile)("sh", ["-ec", lines], { env });
    expect(stdout).toMatch(/it works[\s\S]*hello .* completed/);
    await page.getByText("No problems", { exact: true }).waitFor();
    await page.goto(new URL("/jobs", page.url()).href);
    await page.getByRole("row", { name: /\bhello/ }).waitFor();
  });
});
