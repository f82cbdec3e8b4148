import { hostname } from "node:os";
import { type JobManager, type Run, runId } from "@ojm/core";
import { folderWith } from "@ojm/testing/folder";
import { beforeEach, expect, test } from "vitest";
import { called } from "../../../testing/called.js";
import type { Ended } from "../../../testing/ojm.js";
import { readPrinted } from "../../../testing/printed-json.js";
import { storeIn } from "../../../testing/store.js";
import { sayWaiters } from "./running.js";
import { frame } from "./screen.js";

let folder: string;
let manager: JobManager;

beforeEach(async () => {
  folder = folderWith({});
  manager = await storeIn(folder);
});

const call = (...words: readonly string[]): Promise<Ended> => called(folder, [...words, "--store", "sqlite:ojm.db"]);

const ONE = `${hostname()}, pid ${process.pid}`;

test("ps, locks, show and why list the processes that wait for a job, in words and in JSON", async () => {
  const run = await manager.start("import");
  const waiting: Promise<Run>[] = [];
  for (let i = 1; i <= 2; i++) {
    waiting.push(manager.start("import", { wait: 60_000 }));
    waiting.at(-1)?.catch(() => {});
    await expect.poll(() => manager.waiters("import")).toHaveLength(i);
  }
  const waiters = await manager.waiters("import");
  for (const words of [["ps"], ["locks"], ["ps", "import"]]) {
    const { out } = await call(...words);
    expect(out).toMatch(new RegExp(`^2 wait for import: ${ONE}, for \\d+ m?s; ${ONE}, for \\d+ m?s$`, "m"));
    const { value, errors } = readPrinted(words[0] ?? "", (await call(...words, "--json")).out);
    expect(errors).toEqual([]);
    expect(value).toMatchObject([{ name: "import", waiting: 2, waiters }]);
  }
  expect((await call("show", "import")).out).toMatch(new RegExp(`^waiting +${ONE}, for \\d+ m?s; ${ONE}, for`, "m"));
  const shown = readPrinted("show", (await call("show", "import", "--json")).out);
  expect(shown).toMatchObject({ errors: [], value: { id: run.id, waiters } });
  const why = readPrinted("why", (await call("why", "import", "--json")).out);
  expect(why.errors).toEqual([]);
  expect(why.value).toContainEqual(expect.objectContaining({ reason: expect.objectContaining({ waiters }) }));
  expect((await call("why", "import")).out).toMatch(
    new RegExp(`2 runs wait for the lock: ${ONE}, since \\S+Z; ${ONE}`),
  );

  await run.end();
  const next = await waiting[0];
  await expect.poll(() => manager.waiters("import")).toEqual(waiters.slice(1));
  expect((await call("ps")).out).toMatch(new RegExp(`^1 waits for import: ${ONE}, for `, "m"));
  await next?.end();
  await (await waiting[1])?.end();
  expect(JSON.parse((await call("locks", "--json")).out)).toEqual([{ name: "import", state: "free" }]);
});

test("of many waiters the first five are listed, and nothing if there are none", () => {
  const waiters = Array.from({ length: 7 }, (_, i) => ({ host: "b", pid: i, instance: `b${i}` }));
  const names = [0, 1, 2, 3, 4].map((pid) => `b, pid ${pid}`).join("; ");
  expect(sayWaiters({ name: "import", waiting: 9, waiters })).toEqual([`9 wait for import: ${names}; 4 more`]);
  expect(sayWaiters({ name: "import", waiting: 0 })).toEqual([]);
  expect(sayWaiters({ name: "two\nlines", waiting: 1, waiters: waiters.slice(0, 1) })).toEqual([
    "1 waits for two\\nlines: b, pid 0",
  ]);
});

test("the screen shows who waits below the runs, where it has room, and cuts it to its width", () => {
  const run = {
    name: "import",
    id: runId({ name: "import", startTime: 0 }),
    startTime: 0,
    startDate: "",
    status: "running",
    holder: { host: hostname(), pid: 1, instance: "a" },
    trigger: "job",
    timeout: 60_000,
    elapsed: 5,
    waiting: 1,
    waiters: [{ host: "b", pid: 2, instance: "b" }],
  } as const;
  const plain = (text: string): string => text;
  const lines = frame([run], 0, { columns: 24, rows: 9 }, plain);
  expect(lines.at(-1)).toBe("1 waits for import: b, …");
  expect(frame([run, { ...run, name: "other" }], 0, { columns: 24, rows: 5 }, plain).join()).not.toContain("waits");
});
