/**
 * Users with passwords, in a browser.
 * @module-tag full
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@ojm/testing/folder";
import type { Page } from "playwright-core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { addUiUser } from "../src/security/users.js";
import { openUiServer } from "../src/serve-ui.js";
import type { UiServer } from "../src/types.js";
import { violationsOf, watch } from "./support/browser.js";
import { describePages } from "./support/describe-pages.js";

describePages("a UI with users", (pages) => {
  const faults: string[] = [];
  let file: string;
  let served: UiServer;
  let password: string;

  beforeEach(async () => {
    const { manager, scheduler } = pages.mount;
    file = join(temporaryFolder(), "users");
    password = await addUiUser(file, { user: "ana", role: "operate" });
    served = await openUiServer({ manager, scheduler, users: file });
  });

  afterEach(async () => {
    await served.close();
    expect(faults.splice(0)).toEqual([]);
  });

  const open = async (path: string): Promise<Page> => {
    const page = await pages.context.newPage();
    watch(page, new URL(served.url), faults);
    await page.goto(`${served.url}${path}`);
    return page;
  };

  const signIn = async (page: Page, word = password): Promise<void> => {
    await page.getByLabel("Name").fill("ana");
    await page.getByLabel("Password").fill(word);
    await page.keyboard.press("Enter");
  };

  const live = (page: Page): Promise<void> => page.getByText("Live", { exact: true }).waitFor();

  it("shows the page of a link after the sign-in, and nothing of it before", async () => {
    const { record } = await pages.mount.manager.run("report", ({ log }) => log.info("a line of the log"));
    const place = `runs/${encodeURIComponent(record.id)}?a=b#L1`;
    const page = await open(place);
    await page.getByRole("heading", { name: "Sign in to ojm" }).waitFor();
    expect(await page.getByText("a line of the log").count()).toBe(0);
    expect(await violationsOf(page)).toEqual([]);
    await signIn(page, "wrong");
    await page.getByRole("alert").getByText("the name or the password is wrong").waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await signIn(page);
    await page.getByRole("heading", { name: "report", level: 1 }).waitFor();
    await page.getByText("a line of the log").waitFor();
    expect(page.url()).toBe(`${served.url}${place}`);
    await live(page);
    await page.getByText("ana · operate").waitFor();
    // Neither the address nor what scripts can read has the password or the session.
    expect(await page.evaluate("document.cookie + JSON.stringify(localStorage)")).not.toContain("session");
    expect(await violationsOf(page)).toEqual([]);
  });

  it("asks for the password, even if the page gave up its log while the answer came", async () => {
    const { record } = await pages.mount.manager.run("report", () => {});
    // The last answer of all: its body was still on the way when the page was removed.
    await pages.context.addInitScript(`{
      const real = fetch;
      window.fetch = async (path, { signal, ...init } = {}) => {
        const answer = await real(path, init);
        if (signal) answer.json = () => new Promise((_, reject) => {
          window.giveUp = async () => {
            reject(signal.reason);
            await new Promise(requestAnimationFrame);
          };
        });
        return answer;
      };
    }`);
    const page = await open(`runs/${encodeURIComponent(record.id)}`);
    const heading = page.getByRole("heading", { name: "Sign in to ojm" });
    await heading.waitFor();
    await expect.poll(() => page.evaluate("typeof giveUp")).toBe("function");
    await page.evaluate("giveUp()");
    expect(await heading.isVisible()).toBe(true);
  });

  it("never leaves its own pages after the sign-in, whatever the address says", async () => {
    for (const path of ["/evil.example/x", "?next=https://evil.example", "jobs/https:%2F%2Fevil.example"]) {
      await pages.context.clearCookies();
      const page = await open(path);
      await signIn(page);
      await live(page);
      expect(new URL(page.url()).host).toBe(new URL(served.url).host);
      await page.close();
    }
  });

  it("signs out, in all tabs, and lets the user sign in again where the page is", async () => {
    await pages.mount.manager.run("report", () => {});
    const page = await open("jobs");
    await signIn(page);
    await live(page);
    const other = await open("runs");
    await live(other);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in to ojm" }).waitFor();
    await other.getByText("You are signed out.").waitFor();
    await other.getByRole("button", { name: "Sign in" }).click();
    const dialog = other.getByRole("dialog", { name: "Sign in" });
    expect(await violationsOf(other)).toEqual([]);
    await dialog.getByLabel("Name").fill("ana");
    await dialog.getByLabel("Password").fill(password);
    await dialog.getByRole("button", { name: "Sign in" }).click();
    await other.getByText("You are signed out.").waitFor({ state: "detached" });
    await live(other);
    expect(other.url()).toBe(`${served.url}runs`);
  });

  it("a user with another role gets it after the next sign-in, and sees no action that it does not allow", async () => {
    await pages.mount.manager.run("report", () => {});
    const page = await open("jobs/report");
    await signIn(page);
    await page.getByRole("button", { name: "Hold" }).first().waitFor();
    writeFileSync(file, readFileSync(file, "utf8").replace("ana operate", "ana read"));
    await page.reload();
    await signIn(page);
    await page.getByText("ana · read").waitFor();
    await live(page);
    expect(await page.getByRole("button", { name: "Hold" }).count()).toBe(0);
  });
});
