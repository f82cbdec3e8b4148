import type { JobManager } from "@ojm/core";
import { openScheduler } from "@ojm/schedule";
import { folderWith } from "@ojm/testing/folder";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { ojm } from "../../../testing/ojm.js";
import { storeIn } from "../../../testing/store.js";
import { hasTerminals, Terminal } from "../../../testing/terminal.js";

const LEAVE = "\u001b[?25h\u001b[?1049l";

let folder: string;
let manager: JobManager;

beforeEach(async () => {
  folder = folderWith({});
  manager = await storeIn(folder);
});

const top = (...more: string[]): Terminal => new Terminal(folder, 80, ["top", "--store", "sqlite:ojm.db", ...more]);

describe.skipIf(!hasTerminals())("ojm top on a terminal", () => {
  test("shows why and the log of what is selected, and cancels it with the reason that is typed", async () => {
    const run = await manager.start("import");
    run.signal.addEventListener("abort", () => void run.cancel().catch(() => {}));
    run.log.info("three orders are left");
    const terminal = top();
    await terminal.shows(/> import/);
    terminal.type("\r");
    await terminal.shows(/it runs now[\s\S]*three orders are left/);
    terminal.type("c");
    await terminal.shows(/why cancel import@/);
    terminal.type("the disk is full\r");
    await terminal.shows(/is cancelled/);
    terminal.type("\u0003");
    expect(await terminal.ended).toBe(0);
    expect(terminal.out.trimEnd().endsWith(LEAVE)).toBe(true);
    expect(await manager.wait(run)).toMatchObject({ status: "cancelled", endedBy: { reason: "the disk is full" } });
  });

  test("cancels what waits for its next attempt", async () => {
    const retry = { attempts: 5, delay: 3_600_000 };
    const work = manager.run("orders", () => Promise.reject(new Error("no route")), { retry });
    const end = work.catch((error: Error) => error.message);
    const terminal = top();
    await terminal.shows(/orders +2 of 5 +59 min/);
    terminal.type("c");
    await terminal.shows(/why cancel orders/);
    terminal.type("the supplier is away\r");
    await terminal.shows(/orders is not tried again/);
    terminal.type("q");
    expect(await terminal.ended).toBe(0);
    expect(await end).toMatch(/^attempt 2 of "orders" was cancelled before it began: by .*: the supplier is away$/);
  });

  test("pauses a schedule, and resumes it", async () => {
    const scheduler = openScheduler(manager);
    onTestFinished(() => scheduler.close());
    await scheduler.add("nightly", { cron: "0 2 * * *" }, () => {});
    const terminal = top();
    await terminal.shows(/> nightly/);
    terminal.type("p");
    await terminal.shows(/why pause nightly/);
    terminal.type("a migration\r");
    await terminal.shows(/nightly is paused/);
    await terminal.shows(/paused .*a migration/);
    terminal.type("p");
    await terminal.shows(/nightly is resumed/);
    terminal.type("q");
    expect(await terminal.ended).toBe(0);
  });

  test("with --read-only, no key changes anything", async () => {
    await using run = await manager.start("import");
    const terminal = top("--read-only");
    await terminal.shows(/> import/);
    terminal.type("c");
    await terminal.shows(/--read-only: nothing can be changed/);
    terminal.type("q");
    expect(await terminal.ended).toBe(0);
    expect(run.signal.aborted).toBe(false);
  });

  test("SIGTERM ends it with 143, and the terminal is as it was", async () => {
    const terminal = top();
    await terminal.shows(/nothing runs, fails or is planned/);
    terminal.kill("SIGTERM");
    expect(await terminal.ended).toBe(143);
    expect(terminal.out.trimEnd().endsWith(LEAVE)).toBe(true);
  });

  test("is drawn again when it comes back from the background: the shell wrote over the screen", async () => {
    const terminal = top();
    await terminal.shows(/nothing runs, fails or is planned/);
    terminal.kill("SIGCONT");
    await terminal.shows(/nothing runs, fails or is planned[\s\S]*\[\?1049h[\s\S]*nothing runs, fails or is planned/);
    terminal.type("q");
    expect(await terminal.ended).toBe(0);
  });

  test("a fault of ojm is printed where it can be read: behind the screen, not on it", async () => {
    const terminal = top();
    await terminal.shows(/nothing runs, fails or is planned/);
    terminal.kill("SIGUSR2");
    expect(await terminal.ended).toBe(1);
    const [, behind = ""] = terminal.out.split(LEAVE);
    expect(behind).toMatch(/^ojm: a fault of a test/);
  });
});

test("without a terminal, ojm top says which commands print the same", async () => {
  expect(await ojm(folder, "top", "--store", "sqlite:ojm.db")).toEqual({
    code: 2,
    out: "",
    err: "ojm: ojm top draws on a terminal, and its output is not one: ojm ps and ojm jobs print the same\n",
  });
});
