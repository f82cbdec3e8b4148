import type { JobManager, Run } from "@ojm/core";
import { folderWith } from "@ojm/testing/folder";
import stringWidth from "string-width";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { prepareWidths } from "../../../output/width/width.js";
import { ojm } from "../../../testing/ojm.js";
import { storeIn } from "../../../testing/store.js";
import { hasTerminals, Terminal } from "../../../testing/terminal.js";
import { LiveRows } from "./live-rows.js";
import type { Running } from "./running.js";
import { frame } from "./screen.js";

beforeAll(() => prepareWidths());

let folder: string;
let manager: JobManager;

beforeEach(async () => {
  folder = folderWith({});
  manager = await storeIn(folder);
});

test("a screen says that it may be old when the store does not answer", () => {
  const size = { columns: 60, rows: 10 };
  const [head, said] = frame([], Date.now(), size, (text) => text, { away: 12_000 });
  expect(head).toMatch(/nothing runs/);
  expect(said).toBe("the store has not answered for 12 s: this may be old");
  expect(frame([], Date.now(), size, (text) => text)[1]).toBe("");
  expect(frame([], Date.now(), size, (text) => text, { isComplete: false })[0]).toMatch(/reading the runs/);
});

describe("the runs in progress", () => {
  test("come and go by watch, with their progress, their waiters and their usual time", async () => {
    await manager.run("import", () => {});
    await using plain = await manager.lock("plain");
    const closing = new AbortController();
    let changes = 0;
    const live = new LiveRows(manager, { changed: () => void changes++ });
    const over = live.follow(closing.signal);
    const rows = (): Running[] => live.rows(Date.now());
    const run: Run = await manager.start("import");
    await expect.poll(() => rows().map(({ name }) => name)).toEqual(["import"]);
    expect(rows()[0]).toMatchObject({ id: run.id, fence: run.fence, waiting: 0 });
    await expect.poll(() => rows()[0]?.usual?.p50).toEqual(expect.any(Number));
    const waiting = manager.start("import", { wait: 60_000 });
    await expect.poll(() => rows()[0]?.waiting).toBe(1);
    run.progress(3, 10, "orders");
    await expect.poll(() => rows()[0]?.progress).toMatchObject({ done: 3, total: 10 });
    await run.end();
    const next = await waiting;
    await expect.poll(() => rows()[0]?.id).toBe(next.id);
    await next.end();
    await expect.poll(() => rows()).toEqual([]);
    expect(plain.name).toBe("plain");
    expect(changes).toBeGreaterThan(3);
    closing.abort();
    await over;
  });

  test("show who asked them to stop, and why", async () => {
    const run = await manager.start("import");
    const closing = new AbortController();
    const live = new LiveRows(manager);
    const over = live.follow(closing.signal);
    await expect.poll(() => live.rows(Date.now())).toMatchObject([{ id: run.id }]);
    await manager.cancel("import", { reason: "wrong month", author: "ana", wait: 0 });
    const stopRequest = { at: expect.any(Number), by: { pid: process.pid }, author: "ana", reason: "wrong month" };
    await expect.poll(() => live.rows(Date.now())).toMatchObject([{ stopRequest }]);
    await run.cancel();
    closing.abort();
    await over;
  });

  test("those that began before are there from the first", async () => {
    await using run = await manager.start("import");
    const closing = new AbortController();
    const live = new LiveRows(manager);
    const over = live.follow(closing.signal);
    await expect.poll(() => live.rows(run.startTime + 5_000)).toMatchObject([{ id: run.id, elapsed: 5_000 }]);
    closing.abort();
    await over;
  });
});

test("the attempts to come are kept up to date for the screen", async () => {
  const closing = new AbortController();
  const live = new LiveRows(manager);
  const over = live.follow(closing.signal);
  const work = manager.run("dump", () => Promise.reject(new Error("no")), { retry: { attempts: 2, delay: 3_600_000 } });
  work.catch(() => {});
  await expect.poll(() => live.coming()).toMatchObject([{ name: "dump", attempt: 2 }]);
  await manager.cancel("dump", { reason: "enough" });
  await expect.poll(() => live.coming()).toEqual([]);
  closing.abort();
  await over;
});

describe("the screen", () => {
  const one = (name: string, more: Partial<Running> = {}): Running => ({
    name,
    startTime: 0,
    startDate: "",
    id: name,
    status: "running",
    holder: { host: "api-1", pid: 4711, instance: "a" },
    trigger: "manual",
    timeout: 3_600_000,
    fence: "12345",
    elapsed: 61_000,
    waiting: 0,
    ...more,
  });
  const progress = { at: 0, done: 3, total: 10, text: "orders" };
  const runs = [
    one("import", { progress, waiting: 2, usual: { p50: 90_000, p95: 95_000 } }),
    one(`注文${"x".repeat(300)}`),
    one("\u001b[2J"),
  ];
  const plain = (text: string): string => text;

  test.each([
    { columns: 40, titles: ["RUN", "ELAPSED"] },
    { columns: 80, titles: ["RUN", "ELAPSED", "PROGRESS"] },
    { columns: 160, titles: ["RUN", "ELAPSED", "PROGRESS", "WAITING", "WHERE", "LEFT", "FENCE"] },
  ])("of $columns columns is not overrun, and has the columns that matter most", ({ columns, titles }) => {
    const lines = frame(runs, 0, { columns, rows: 24 }, plain);
    for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
    for (const title of titles) expect(lines[2]).toContain(title);
    expect(lines.join("\n")).toContain("\\u001b[2J");
    expect(lines.join("\n")).not.toContain("\u001b");
  });

  test.each([
    { columns: 40, said: /^import +1 min 1 s +by ana@h1: wrong mon…/m },
    { columns: 80, said: /^import +1 min 1 s of 1 min 30 s +by ana@h1: wrong mo…/m },
  ])("at $columns columns shows that a run was asked to stop", ({ columns, said }) => {
    const stopRequest = { at: 0, by: { host: "h1", pid: 7, instance: "b" }, author: "ana@h1", reason: "wrong month" };
    const lines = frame(
      [one("import", { stopRequest, usual: { p50: 90_000, p95: 95_000 } }), one("other")],
      0,
      { columns, rows: 24 },
      plain,
    );
    for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
    expect(lines[2]).toContain("STOPPING");
    expect(lines.join("\n")).toMatch(said);
    expect(frame([one("other")], 0, { columns, rows: 24 }, plain)[2]).not.toContain("STOPPING");
  });

  test("a job that waits for its next attempt is shown below what runs, and so is an attempt that no process makes", () => {
    const waits = { name: "dump", chain: "dump@x", attempt: 2, attempts: 3, due: Date.now() + 60_000 };
    const coming = [
      waits,
      { ...waits, name: "left", orphaned: true as const },
      ...Array.from({ length: 30 }, () => waits),
    ];
    const lines = frame([one("import")], 0, { columns: 160, rows: 24 }, plain, { coming });
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(lines.join("\n")).toMatch(
      /\nimport .*\ndump waits for attempt 2 of 3, due \S+Z\nleft waits for .*: no process makes it, because its own process is gone\n[\s\S]*… and \d+ more$/,
    );
    for (const line of frame([], 0, { columns: 40, rows: 24 }, plain, { coming }))
      expect(stringWidth(line)).toBeLessThanOrEqual(40);
  });

  test("with more runs than lines, it says how many are not shown", () => {
    const lines = frame(
      Array.from({ length: 30 }, (_, i) => one(`job ${i}`)),
      0,
      { columns: 80, rows: 10 },
      plain,
    );
    expect(lines).toHaveLength(10);
    expect(lines.at(-1)).toBe("… and 24 more");
    expect(frame([], 0, { columns: 80, rows: 10 }, plain)[0]).toMatch(/nothing runs/);
  });
});

test("without a terminal, ps -w is refused", async () => {
  expect(await ojm(folder, "ps", "-w", "--store", "sqlite:ojm.db")).toEqual({
    code: 2,
    out: "",
    err: "ojm: ojm ps -w draws on a terminal, and its output is not one: leave -w out\n",
  });
});

test("on a terminal, Ctrl-C ends it, and the terminal is as it was", async ({ skip }) => {
  skip(!hasTerminals(), "there is no script of util-linux");
  await using run = await manager.start("import");
  const terminal = new Terminal(folder, 80, ["ps", "-w", "--store", "sqlite:ojm.db"]);
  await terminal.shows(run.name);
  expect(terminal.out).toContain("\u001b[?1049h\u001b[?25l");
  terminal.type("\u0003");
  expect(await terminal.ended).toBe(0);
  expect(terminal.out.trimEnd().endsWith("\u001b[?25h\u001b[?1049l")).toBe(true);
});
