/**
 * The page of a job in a browser. What it shows is tested in src/view.
 * @module-tag full
 */
import { beforeEach, expect, it } from "vitest";
import { describePages } from "./support/describe-pages.js";

const HOUR = 3_600_000;

describePages("a job and how it goes", (pages) => {
  beforeEach(async () => {
    await pages.mount.runAgo("backup", 9 * HOUR, { until: 5 * HOUR });
  });

  it("shows its last run with its end, and a run in progress with how long it runs", async () => {
    const page = await pages.open("jobs");
    const row = page.getByRole("row", { name: /^backup/ });
    await row.getByRole("link", { name: /^Completed 5 h ago$/ }).waitFor();
    const run = await pages.mount.manager.start("backup");
    await row.getByRole("link", { name: /^Running for \d+ s$/ }).waitFor();
    await run.end();
    await row.getByRole("link", { name: /^Completed (now|\d+ s ago)/ }).waitFor();
  });

  it("is shown as held, by whom and why, even without a schedule", async () => {
    await pages.mount.manager.hold("backup", { reason: "the disk is replaced", author: "ana" });
    const page = await pages.open("jobs");
    const row = page.getByRole("row", { name: /^backup/ });
    await row.getByText("by ana: the disk is replaced").waitFor();
    await pages.mount.manager.unlock("backup", { reason: "it is replaced" });
    await row.getByText("by ana: the disk is replaced").waitFor({ state: "detached" });
  });

  it("shows the end of its last run on its page", async () => {
    const page = await pages.open("jobs/backup");
    const facts = page.locator(".facts");
    await facts.getByText("Last completed").waitFor();
    expect(await facts.locator("div").allTextContents()).toEqual(
      expect.arrayContaining(["Last ended5 h ago", "Last completed5 h ago"]),
    );
  });
});
