/**
 * The pages of a queue in a browser. What they show is tested in src/api.
 * @module-tag full
 */
import { openQueues } from "@ojm/queue";
import { expect, it } from "vitest";
import { addDead } from "../src/testing/test-ui.js";
import { typeReason } from "./support/browser.js";
import { describePages } from "./support/describe-pages.js";

describePages("a queue", (pages) => {
  it("retries the dead letters of one error with one reason, and shows an item with its attempts", async () => {
    const { manager } = pages.mount;
    await addDead(manager, "mail", ["no route to 10.0.0.1", "no route to 10.0.0.2", "the mailbox is full"]);
    await using queues = openQueues(manager);
    const page = await pages.open("");
    await page.keyboard.press("g");
    await page.keyboard.press("q");
    await page.getByRole("heading", { name: "Queues", level: 1 }).waitFor();
    await page
      .getByRole("row", { name: /^mail / })
      .getByRole("link", { name: "mail" })
      .click();
    await page.getByRole("img", { name: "0 completed, 3 failed" }).waitFor();
    const dead = page.getByRole("region", { name: "Dead letters" });
    const group = dead.getByRole("row", { name: /^no route to/ });
    await group.getByRole("button", { name: "Actions of mail" }).click();
    await page.getByRole("menuitem", { name: "Retry all" }).click();
    await page.getByRole("dialog").getByText("Puts 2 dead letters of mail back into the queue").waitFor();
    await typeReason(page, "the network is repaired");
    await page.keyboard.press("Control+Enter");
    await page.locator("dialog").waitFor({ state: "detached" });
    await group.waitFor({ state: "detached" });
    expect(await queues.counts("mail")).toMatchObject({ waiting: 2, dead: 1 });
    for await (const { action, reason } of manager.audit({ name: "mail" }))
      expect([action, reason]).toEqual(["queue-redrive", "the network is repaired"]);
    const items = page.getByRole("region", { name: "Items" });
    await items.getByRole("button", { name: "Waiting" }).click();
    await expect.poll(() => items.locator("tbody tr").count()).toBe(2);
    await dead.getByRole("link", { name: "the mailbox is full" }).click();
    await page.getByText("The data is hidden").waitFor();
    await page.getByRole("button", { name: "Discard" }).click();
    await typeReason(page, "sent by hand");
    await page.keyboard.press("Control+Enter");
    await page.getByText("The queue does not have this item").waitFor();
    await page.getByRole("link", { name: "those of the queue" }).click();
    await page.getByRole("heading", { name: "Runs", level: 1 }).waitFor();
  });

  it("is paused with a reason, which the page then shows, and resumed", async () => {
    await using queues = openQueues(pages.mount.manager);
    await queues.add("mail", 1);
    const page = await pages.open("queues/mail");
    await page.locator(".reasons").getByText("No worker").waitFor();
    await page.getByRole("button", { name: "Pause queue" }).click();
    await typeReason(page, "the server moves");
    await page.keyboard.press("Control+Enter");
    await page.getByText("the server moves").waitFor();
    await page.getByRole("button", { name: "Resume queue" }).click();
    await typeReason(page, "it has moved");
    await page.keyboard.press("Control+Enter");
    await page.getByRole("button", { name: "Pause queue" }).waitFor();
    await page.locator("main").getByText("the server moves").waitFor({ state: "detached" });
  });
});
