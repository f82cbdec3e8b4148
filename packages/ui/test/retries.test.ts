/**
 * A pending attempt, on each page.
 * @module-tag full
 */
import { beforeEach, expect, it } from "vitest";
import { typeReason, violationsOf } from "./support/browser.js";
import { describePages } from "./support/describe-pages.js";

describePages("an attempt to come", (pages) => {
  /** The id of the first run of the pending retry series. */
  let chain: string;

  beforeEach(async () => {
    const fails = (): Promise<never> => Promise.reject(new Error("no route to the partner"));
    // The call learns that its next attempt was cancelled when the attempt is due, or when its manager is
    // closed.
    pages.mount.manager.run("import", fails, { retry: { attempts: 3, delay: 3_600_000 } }).catch(() => {});
    await expect.poll(async () => (await pages.mount.manager.retries("import")).length).toBe(1);
    const [next] = await pages.mount.manager.retries("import");
    chain = next?.chain ?? "";
  });

  it("is on the page of its job with the run that it follows, as a link", async () => {
    const page = await pages.open("jobs/import");
    const said = page.locator('.reasons [data-first="true"]').getByText(/^attempt 2 of the run of \S+ is due at /);
    await said.getByRole("link", { name: /^the run of / }).waitFor();
  });

  it.each([
    ["now", "", "Waiting for a retry"],
    ["its job", "jobs/import", "What it is waiting for"],
    ["why it does not run", "jobs/import/why", "Why is import not running?"],
    ["its run", "runs/CHAIN", "Attempts"],
  ])(
    "is cancelled on the page of %s by keyboard, with its reason, and the audit records it",
    async (_, path, heading) => {
      const page = await pages.open(path.replace("CHAIN", encodeURIComponent(chain)));
      await page.getByRole("heading", { name: heading }).waitFor();
      const button = page.getByRole("button", { name: "Cancel attempt 2" }).first();
      await button.waitFor();
      await page.setViewportSize({ width: 320, height: 900 });
      expect(await violationsOf(page)).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
      await button.focus();
      await page.keyboard.press("Enter");
      const dialog = page.getByRole("dialog", { name: "Cancel attempt 2 of import" });
      await dialog.getByText(/does not start, and no other attempt follows/).waitFor();
      const submit = ["Tab", "Tab", "Enter"];
      for (const key of submit) await page.keyboard.press(key);
      // Without a reason, nothing is sent, and the field of the reason gets the focus again.
      expect(await pages.mount.manager.retries("import")).toHaveLength(1);
      await dialog.locator("textarea:focus").waitFor();
      await typeReason(page, "the partner is closed today");
      for (const key of submit) await page.keyboard.press(key);
      await page.locator("dialog").waitFor({ state: "detached" });
      expect(await pages.mount.manager.retries("import")).toEqual([]);
      await button.waitFor({ state: "detached" });
      await page.setViewportSize({ width: 1440, height: 900 });
      await page.goto(`${pages.mount.url}audit?name=import`);
      await page.getByRole("row", { name: /^Cancel run import ana .*the partner is closed today/ }).waitFor();
    },
  );
});
