import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, test, vi } from "vitest";
import { typeReason, whyNoPages } from "./support/browser.js";
import { type Fleet, seed } from "./support/fleet.js";
import { Cockpit } from "./support/pages.js";

const missing = whyNoPages();

/** How often the server is killed. It takes seconds to start. `OJM_KILLS=20` kills it more often. */
const KILLS = Number(process.env["OJM_KILLS"] ?? 3);

test("a lost stream is as old as the last thing that came from the server, in a tab that opens later too", async () => {
  let now = Date.now();
  vi.spyOn(Date, "now").mockImplementation(() => now);
  onTestFinished(() => void vi.restoreAllMocks());
  // This program does not have the types of a browser.
  const path = "../web/src/live/hub.js";
  const { Hub } = (await import(path)) as {
    readonly Hub: new () => { take(tell: (message: { readonly kind: string }) => void, message: object): void };
  };
  let answer: ServerResponse | undefined;
  const server = createServer((_, response) => {
    answer = response;
    response.write("event: stale\ndata: {}\n\n");
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const hub = new Hub();
  const told: { readonly kind: string }[] = [];
  const tell = (message: { readonly kind: string }): void => void told.push(message);
  const later: { readonly kind: string }[] = [];
  const other = (message: { readonly kind: string }): void => void later.push(message);
  onTestFinished(() => {
    for (const tab of [tell, other]) hub.take(tab, { kind: "bye" });
    server.close();
    server.closeAllConnections();
  });
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  hub.take(tell, { kind: "follow", address, logs: [] });
  const events = (): number => told.filter(({ kind }) => kind === "event").length;
  await expect.poll(events).toBe(1);
  now += 60_000;
  answer?.write("event: stale\ndata: {}\n\n");
  await expect.poll(events).toBe(2);
  now += 9_000;
  server.close();
  answer?.destroy();
  await expect.poll(() => told.at(-1)).toEqual({ kind: "state", state: "away", silent: 9_000 });
  now += 5_000;
  hub.take(other, { kind: "follow", address, logs: [] });
  expect(later[0]).toEqual({ kind: "state", state: "away", silent: 14_000 });
});

describe.skipIf(missing !== undefined)(`pages that are live${missing === undefined ? "" : `: ${missing}`}`, () => {
  let cockpit: Cockpit;
  let fleet: Fleet;

  beforeAll(async () => {
    cockpit = await Cockpit.open();
    fleet = await seed(cockpit);
  });

  afterAll(async () => {
    await fleet?.running.end().catch(() => {});
    await cockpit?.close();
  });

  it("reads what changed at a pace, however many runs begin and end", { tags: ["full"] }, async () => {
    const page = await cockpit.page("jobs");
    let reads = 0;
    page.on("request", (request) => {
      if (request.url().includes("/api/v1/now")) reads++;
    });
    const began = Date.now();
    // The pages hear of changes four times a second at most.
    while (Date.now() - began < 6_000) await cockpit.manager.run("busy", () => sleep(50));
    const paces = (Date.now() - began) / 2_000 + 1;
    // A second one in each, if the server shared an answer that was older than the change; one each 15 s.
    expect(reads).toBeLessThanOrEqual(2 * paces + 1 + paces / 7);
    await page.getByRole("link", { name: "busy", exact: true }).waitFor();
    await page.close();
  });

  it("shows a run when it begins, and takes it off when it ends", async () => {
    const page = await cockpit.page("");
    const running = page.getByRole("region", { name: "Running" });
    await running.getByText("import").waitFor();
    const run = await cockpit.manager.start("just-now");
    await running.getByText("just-now").waitFor();
    await run.end();
    await running.getByText("just-now").waitFor({ state: "detached" });
    await page.close();
  });

  it("shows the same in a second tab, which shares the stream of the first one", { tags: ["full"] }, async () => {
    const [first, second] = [await cockpit.page(""), await cockpit.page("")];
    await second.getByRole("region", { name: "Running" }).getByText("import").waitFor();
    const run = await cockpit.manager.start("for-both");
    for (const page of [first, second])
      await page.getByRole("region", { name: "Running" }).getByText("for-both").waitFor();
    await run.end();
    await first.close();
    await second.close();
  });

  it("follows the log of a run, finds a line in it, and has an address for each line", { tags: ["full"] }, async () => {
    const page = await cockpit.page(`runs/${encodeURIComponent(fleet.running.id)}`);
    await page.locator(".line").getByText("row 40 of the file").waitFor();
    fleet.running.log.info("a line that comes later");
    await page.locator(".line").getByText("a line that comes later").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("row 7 of");
    await page.keyboard.press("Enter");
    await page.locator("mark").getByText("row 7 of").waitFor();
    await page.getByRole("link", { name: "Line 7", exact: true }).click();
    await expect.poll(() => page.url()).toMatch(/#L7$/);
    await page.reload();
    await page.locator(".line[data-chosen=true]").getByText("row 7 of the file").waitFor();
    await page.close();
  });

  it("does an action by keyboard alone, with its reason", { tags: ["full"] }, async () => {
    const page = await cockpit.page("jobs/partners");
    await page.getByRole("button", { name: "Resume schedule" }).first().waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("resume schedule");
    await page.getByRole("option", { name: "Resume schedule: partners" }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Resume partners" }).waitFor();
    await typeReason(page, "the server has moved");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.locator("dialog").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Pause schedule" }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("a");
    await page.getByRole("heading", { name: "Audit", level: 1 }).waitFor();
    await page.getByRole("row", { name: /Resume.*partners.*the server has moved/ }).waitFor();
    await page.close();
  });

  it(`is killed ${KILLS} times, and its pages lose no line and show no run twice`, { tags: ["full"] }, async () => {
    const run = await cockpit.manager.start("watched", { timeout: 3_600_000 });
    const [log, now] = [await cockpit.page(`runs/${encodeURIComponent(run.id)}`), await cockpit.page("")];
    const rows = now.getByRole("region", { name: "Running" }).locator("li");
    const line = (n: number): Promise<void> => log.locator(".line .text").getByText(`line ${n} of it`).waitFor();
    let lines = 0;
    for (let kill = 1; kill <= KILLS; kill++) {
      run.log.info(`line ${++lines} of it`);
      await line(lines);
      await cockpit.killServer();
      run.log.info(`line ${++lines} of it`);
      const meanwhile = await cockpit.manager.start(`meanwhile ${kill}`);
      await cockpit.startServer();
      await line(lines);
      await rows.getByText(meanwhile.name, { exact: true }).waitFor();
      await meanwhile.end();
      await rows.getByText(meanwhile.name, { exact: true }).waitFor({ state: "detached" });
    }
    expect(await rows.getByText("watched", { exact: true }).count()).toBe(1);
    const shown = (await log.locator(".line .text").allTextContents()).map((text) => Number(/\d+/.exec(text)?.[0]));
    // A long log shows only its end.
    expect(shown).toEqual(Array.from({ length: shown.length }, (_, i) => lines - shown.length + 1 + i));
    await run.end();
    await rows.getByText("watched", { exact: true }).waitFor({ state: "detached" });
    for (const page of [log, now]) await page.close();
  });

  it("says that it is stale when the server is killed, and continues by itself when it is back", async () => {
    const page = await cockpit.page("");
    await page.getByText("import").first().waitFor();
    await cockpit.killServer();
    await page.getByText(/reconnecting/).waitFor();
    await page.getByText("import").first().waitFor();
    const run = await cockpit.manager.start("while-away");
    await cockpit.startServer();
    await page.getByRole("region", { name: "Running" }).getByText("while-away").waitFor();
    await page.getByText(/reconnecting/).waitFor({ state: "detached" });
    await run.end();
    await page.getByRole("region", { name: "Running" }).getByText("while-away").waitFor({ state: "detached" });
    await page.close();
    expect(cockpit.faults).toEqual([]);
  });
});
