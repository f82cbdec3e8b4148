/**
 * The page of a question about a job.
 * @module-tag full
 */
import { expect, it } from "vitest";
import type { Why } from "../src/contract/types.js";
import { violationsOf } from "./support/browser.js";
import { describePages } from "./support/describe-pages.js";

describePages("a question about a job", (pages) => {
  it("about now, about its last run and about a time has an address each, and an answer", async () => {
    const { manager } = pages.mount;
    await pages.mount.runAgo("backup", 7_200_000, { until: 7_190_000 });
    await manager.run("backup", () => Promise.reject(new Error("the disk is full"))).catch(() => {});
    const page = await pages.open("jobs/backup/why");
    await page.getByRole("heading", { name: "Why is backup not running?", level: 1 }).waitFor();
    const questions = page.getByRole("navigation", { name: "Questions" });
    await questions.getByRole("link", { name: "Its last run" }).click();
    await page.getByRole("heading", { name: "Why did this run of backup fail?", level: 1 }).waitFor();
    await page.getByText("the disk is full").waitFor();
    await page.getByText("Last success").waitFor();
    expect(await violationsOf(page)).toEqual([]);
    const address = page.url();

    await questions.getByRole("textbox", { name: "At" }).fill("2026-02-30 02:00");
    await questions.getByRole("button", { name: "Ask" }).click();
    expect(page.url()).toBe(address);
    await questions.getByRole("textbox", { name: "At" }).fill("2024-11-25 02:00");
    await questions.getByRole("button", { name: "Ask" }).click();
    await page.getByRole("heading", { name: "What did backup do at 2024-11-25 02:00 (Europe/Lisbon)?" }).waitFor();
    expect(new URL(page.url()).search).toBe(`?at=${Date.parse("2024-11-25T02:00Z")}`);
    await page.getByText("No tick", { exact: true }).waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await page.reload();
    await page.getByText("No tick", { exact: true }).waitFor();
    expect(await questions.getByRole("textbox", { name: "At" }).inputValue()).toBe("2024-11-25 02:00");

    await page.goto(address);
    await page.getByRole("heading", { name: "Why did this run of backup fail?", level: 1 }).waitFor();
  });

  it("is asked from the page of a run, and one about a run of another job has no answer", async () => {
    const { manager } = pages.mount;
    const { record } = await manager.run("a/b", () => {});
    const page = await pages.open(`runs/${encodeURIComponent(record.id)}`);
    await page.getByRole("link", { name: "Why?" }).click();
    await page.getByRole("heading", { name: "Why did this run of a/b take so long?", level: 1 }).waitFor();
    const ask = (name: string, query: string): Promise<Response> =>
      fetch(`${pages.mount.url}api/v1/jobs/${encodeURIComponent(name)}/why?${query}`);
    const run = encodeURIComponent(record.id);
    expect((await ask("other", `run=${run}`)).status).toBe(404);
    expect((await ask("a/b", "at=x")).status).toBe(400);
    const { reasons } = (await (await ask("a/b", `at=${record.startTime}`)).json()) as Why;
    expect(reasons.map(({ code }) => code)).toEqual(["no-tick", "last"]);
  });
});
