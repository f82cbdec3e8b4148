/**
 * Saved views, and what the palette finds.
 * @module-tag full
 */
import { hostname } from "node:os";
import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { violationsOf } from "./support/browser.js";
import { describePages } from "./support/describe-pages.js";

describePages("a list with its filters", (pages) => {
  const openViews = async (page: Page) => {
    await page.getByRole("button", { name: "Views" }).click();
    return page.getByRole("dialog", { name: "Views" });
  };

  it("is saved as a view of the browser, shown again by its name, shared as a link, and removed", async () => {
    await pages.context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await pages.mount.manager.run("billing/a", () => Promise.reject(new Error("no"))).catch(() => {});
    const page = await pages.open("jobs?q=billing");
    await page.getByRole("button", { name: "Failing" }).click();
    const address = page.url();
    expect(new URL(address).search).toBe("?q=billing&state=failing");
    const dialog = await openViews(page);
    expect(await violationsOf(page)).toEqual([]);
    await dialog.getByRole("textbox", { name: "Name of the view" }).fill("Billing, failing");
    await page.keyboard.press("Enter");
    await dialog.getByRole("link", { name: "Billing, failing" }).waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Copy link", exact: true }).click();
    await page.getByText("link copied.").waitFor();
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe(address);

    const other = await pages.open("runs");
    const there = await openViews(other);
    await there.getByRole("textbox", { name: "Name of the view" }).fill("All runs");
    await other.keyboard.press("Enter");
    await there.getByRole("link", { name: "Billing, failing" }).click();
    await other.getByRole("heading", { name: "Jobs", level: 1 }).waitFor();
    expect(other.url()).toBe(address);
    // A view that another tab has saved is there too.
    await dialog.getByRole("link", { name: "All runs" }).waitFor();
    await dialog.getByRole("button", { name: "Remove Billing, failing" }).click();
    await dialog.getByRole("link", { name: "Billing, failing" }).waitFor({ state: "detached" });
    await page.keyboard.press("Escape");

    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("all runs");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Runs", level: 1 }).waitFor();
  });

  it("ignores stored views that lead elsewhere", async () => {
    const page = await pages.open("jobs");
    const stored = [
      { name: "evil", path: "https://evil.example/" },
      { name: "script", path: "javascript:alert(1)" },
      { name: "two slashes", path: "//evil.example" },
      { name: "good", path: "jobs?q=a" },
      { name: 1 },
      null,
    ];
    await page.evaluate(`localStorage.setItem("ojm.views", ${JSON.stringify(JSON.stringify(stored))})`);
    await page.reload();
    const dialog = await openViews(page);
    await dialog.getByRole("link", { name: "good" }).waitFor();
    expect(await dialog.getByRole("link").allTextContents()).toEqual(["good"]);
    await page.evaluate(`localStorage.setItem("ojm.views", "{")`);
    await page.reload();
    expect(await (await openViews(page)).getByRole("link").count()).toBe(0);
  });

  it("is what the palette finds by a host or a user, and a pattern goes to the dialog of many", async () => {
    const { manager, scheduler } = pages.mount;
    await scheduler.add("billing/a", { cron: "0 2 * * *" }, () => {});
    await manager.hold("server-move", { reason: "the server moves", author: "zoe (10.0.0.7)" });
    const run = await manager.start("long");
    const page = await pages.open("");
    const find = async (text: string, hint: string): Promise<void> => {
      await page.keyboard.press("Control+k");
      await page.getByRole("combobox").fill(text);
      await page.getByRole("option").filter({ hasText: hint }).first().click();
    };
    await find("zoe", "user");
    await page.getByRole("heading", { name: "Audit", level: 1 }).waitFor();
    await page.getByRole("cell", { name: "the server moves" }).waitFor();
    expect(new URL(page.url()).search).toBe("?q=zoe");
    await find(hostname(), "host");
    await page.getByRole("heading", { name: "Runs", level: 1 }).waitFor();
    expect(new URL(page.url()).searchParams.get("host")).toBe(hostname());
    await find(run.id, "run");
    await page.getByRole("heading", { name: "long", level: 1 }).waitFor();
    await find("pause billing/*", "action");
    await page.getByRole("dialog").getByLabel("Reason").waitFor();
    await run.end();
  });

  it("is what the palette finds by an action and a part of a name, and a run by the beginning of its id", async () => {
    const { manager, scheduler } = pages.mount;
    for (const name of ["invoice/pdf", "invoice/send"]) await scheduler.add(name, { cron: "0 2 * * *" }, () => {});
    const { record } = await manager.run("invoice/pdf", () => {});
    const page = await pages.open("");
    await page.getByText("invoice/send").first().waitFor();
    const options = page.getByRole("option");
    const finds = async (text: string, ...labels: readonly string[]): Promise<void> => {
      await page.getByRole("combobox").fill(text);
      for (const label of labels) await options.filter({ hasText: label }).first().waitFor();
    };
    await page.keyboard.press("Control+k");
    await finds("invoice run", "Run now: invoice/pdf", "Run now: invoice/send", "Run now: *invoice*");
    await finds("Pause pdf", "Pause schedule: invoice/pdf");
    await finds("why pdf", "Why is invoice/pdf not running?");
    await finds("maintenance", "Start maintenance: everything");
    await finds(record.id.slice(0, -9), record.id);
    // Nothing of it is running, so that there is nothing to cancel.
    await finds("cancel pdf", "invoice/pdf");
    expect(await options.filter({ hasText: "Cancel" }).count()).toBe(0);
    expect(await violationsOf(page)).toEqual([]);
    await finds("run pdf", "Run now: invoice/pdf");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Run invoice/pdf now" }).getByLabel("Reason").waitFor();
  });
});
