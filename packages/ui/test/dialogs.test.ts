/**
 * Dialogs in a browser: focus, keys, and what an error shows. The actions are tested in src/api.
 * @module-tag full
 */
import { beforeEach, expect, it } from "vitest";
import { typeReason, violationsOf } from "./support/browser.js";
import { describePages } from "./support/describe-pages.js";

/** Presses Escape, and returns which element has the focus before the next task of the browser starts. */
const AFTER_ESCAPE = (focused: string): string => `(async () => {
  const key = new KeyboardEvent("keydown", { key: "Escape", bubbles: true, cancelable: true });
  document.activeElement.dispatchEvent(key);
  for (let turn = 0; turn < 50; turn++) await null;
  return { focused: ${focused}, dialogs: document.querySelectorAll("dialog").length };
})()`;

/** The focused element as text: its name, its text, or its tag. */
const FOCUSED = `(() => {
  const { activeElement: it } = document;
  return it?.getAttribute("aria-label") ?? (it?.textContent?.slice(0, 40) || it?.tagName);
})()`;

describePages("dialogs", (pages) => {
  beforeEach(async () => {
    await pages.mount.scheduler.add("nightly", { cron: "0 2 * * *" }, () => {});
  });

  it("are open as soon as they are in the page, so that no key goes elsewhere", async () => {
    const page = await pages.open("jobs/nightly");
    await page.getByRole("button", { name: "Pause schedule" }).first().waitFor();
    await page.evaluate(`new MutationObserver(() => {
      const dialog = document.querySelector("dialog");
      if (dialog !== null) window.wasOpen ??= dialog.open;
    }).observe(document.body, { childList: true, subtree: true })`);
    await page.getByRole("button", { name: "Pause schedule" }).first().click();
    await page.getByRole("dialog").waitFor();
    expect(await page.evaluate("window.wasOpen")).toBe(true);
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    expect(await page.evaluate(FOCUSED)).toBe("Pause schedule");
  });

  it("have nothing that axe finds wrong, in both themes", { tags: ["full"] }, async () => {
    const page = await pages.open("jobs/nightly");
    const close = async (what: string): Promise<void> => {
      await page.locator("dialog[open]").waitFor();
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        expect(await violationsOf(page), `${what}, ${colorScheme}`).toEqual([]);
      }
      await page.keyboard.press("Escape");
      await page.locator("dialog").waitFor({ state: "detached" });
    };
    for (const name of ["Run now", "Pause schedule", "Backfill", "Hold"]) {
      await page.getByRole("button", { name, exact: true }).first().click();
      await close(name);
    }
    for (const key of ["Control+k", "?"]) {
      await page.keyboard.press(key);
      await close(key);
    }
    await page.getByRole("link", { name: "Jobs", exact: true }).click();
    for (const name of ["Start maintenance", "Views"]) {
      await page.getByRole("button", { name }).click();
      await close(name);
    }
  });

  it("run a schedule now with parameters, and say what is wrong with them", async () => {
    const seen: unknown[] = [];
    await pages.mount.scheduler.add("report", { every: 3_600_000 }, ({ args }) => void seen.push(args));
    const page = await pages.open("jobs/report");
    await page.getByRole("button", { name: "Run now" }).first().click();
    await typeReason(page, "for ana");
    const parameters = page.getByLabel("Parameters as JSON");
    const run = page.getByRole("dialog").getByRole("button", { name: "Run now" });
    await parameters.fill("region=eu");
    await run.click();
    await page.getByRole("alert").getByText("The parameters are not a JSON object.").waitFor();
    await parameters.fill('{ "region": "eu" }');
    await run.click();
    await page.locator("dialog").waitFor({ state: "detached" });
    await expect.poll(() => seen).toEqual([{ region: "eu" }]);
  });

  it("keep the focus while an action is in progress, and close with Escape when it was rejected", async () => {
    const page = await pages.open("jobs/nightly");
    await page.getByRole("button", { name: "Pause schedule" }).first().click();
    let answer = (): void => {};
    const asked = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route("**/api/v1/jobs/nightly/pause", async (route) => {
      await asked;
      const error = { code: "CONFLICT", message: "somebody was faster" };
      await route.fulfill({ status: 409, contentType: "application/json", body: JSON.stringify({ error }) });
    });
    await typeReason(page, "holidays");
    for (const key of ["Tab", "Tab", "Enter"]) await page.keyboard.press(key);
    await page.getByRole("dialog").getByRole("button", { name: "Pause schedule", disabled: true }).waitFor();
    expect(await page.evaluate(FOCUSED)).toBe("Pause schedule");
    answer();
    await page.getByRole("alert").getByText("somebody was faster").waitFor();
    expect(await page.evaluate("document.activeElement.closest('dialog') !== null")).toBe(true);
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
  });

  it("give the focus back to the button of a menu, and to the heading if the button is gone", async () => {
    const page = await pages.open("jobs");
    const button = page.getByRole("button", { name: "Actions of nightly" });
    const openDialog = async (): Promise<void> => {
      await button.focus();
      await page.keyboard.press("Enter");
      await page.getByRole("menuitem", { name: "Pause schedule" }).click();
      await page.getByRole("dialog", { name: "Pause nightly" }).waitFor();
    };
    await openDialog();
    expect(await page.evaluate(AFTER_ESCAPE(FOCUSED))).toEqual({ focused: "Actions of nightly", dialogs: 0 });
    await openDialog();
    await page.evaluate(`document.querySelector("[aria-label='Actions of nightly']").remove()`);
    expect(await page.evaluate(AFTER_ESCAPE(FOCUSED))).toEqual({ focused: "Jobs", dialogs: 0 });
  });

  it("give the focus back when they are closed by their button", async () => {
    const page = await pages.open("jobs/nightly");
    await page.getByRole("button", { name: "Pause schedule" }).first().click();
    await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
    await page.locator("dialog").waitFor({ state: "detached" });
    expect(await page.evaluate(FOCUSED)).toBe("Pause schedule");
  });

  it.each(["jobs/nightly", "jobs/nightly/why", "locks", "jobs"])(
    "end a hold in words of its own, on %s",
    async (path) => {
      await pages.mount.manager.hold("nightly", { reason: "the server moves", author: "bo" });
      const page = await pages.open(path);
      const menu = page.getByRole("button", { name: "Actions of nightly" });
      if (path === "locks" || path === "jobs") await menu.click();
      await page
        .getByRole("button", { name: "End hold" })
        .or(page.getByRole("menuitem", { name: "End hold" }))
        .click();
      const dialog = page.getByRole("dialog", { name: "End the hold of nightly" });
      await dialog.getByText("Ends the hold of bo (the server moves)").waitFor();
      await typeReason(page, "it has moved");
      await page.keyboard.press("Control+Enter");
      await page.locator("dialog").waitFor({ state: "detached" });
      await expect.poll(() => pages.mount.manager.heldLocks()).toEqual([]);
    },
  );

  it("send by Enter from the reason, and by Ctrl+Enter from the parameters, where Enter adds a line", async () => {
    const page = await pages.open("jobs/nightly");
    await page.getByRole("button", { name: "Pause schedule" }).first().click();
    await typeReason(page, "holidays");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("of the bank");
    expect(await page.getByLabel("Reason").inputValue()).toBe("holidays\nof the bank");
    await page.keyboard.press("Enter");
    await page.locator("dialog").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Resume schedule" }).first().waitFor();
    await page.getByRole("button", { name: "Run now" }).first().click();
    await typeReason(page, "for ana");
    const parameters = page.getByLabel("Parameters as JSON");
    await parameters.fill("{}");
    await parameters.press("Enter");
    expect(await parameters.inputValue()).toBe("{}\n");
    await parameters.press("Control+Enter");
    await page.locator("dialog").waitFor({ state: "detached" });
  });
});
