import { type JobManager, openChannel, openJobManager, type RunRecord } from "@ojm/core";
import { processIdentity } from "@ojm/core/internal";
import { folderWith } from "@ojm/testing/folder";
import { expect, test } from "vitest";
import { prepareType } from "../backends.js";
import { given } from "../testing/given.js";
import { ojm } from "../testing/ojm.js";
import { locksText } from "./look/locks.js";
import { runsText } from "./look/runs/runs.js";

/**
 * Control sequences that clear the screen, name the window, turn the direction of writing, and forge a row.
 */
const EVIL = "\u001b[2J\u001b]0;x\u0007\u009b31m\u202egnp\u2066\u200f\nforged  held  nobody, pid 1\r";
const SHOWN = "\\u001b[2J\\u001b]0;x\\u0007\\u009b31m\\u202egnp\\u2066\\u200f\\nforged  held  nobody, pid 1";

/** Writes a lock and a record as another program may. */
async function plant({ channels: { locks, jobs } }: JobManager): Promise<void> {
  const now = Date.now();
  const holder = { host: EVIL, pid: 1, instance: "1-evil" };
  const process = { ...processIdentity(), host: EVIL, boot: "elsewhere" };
  await locks.set(["session", "1-evil"], { id: "1-evil", process, since: now, beat: 0 });
  const timeout = 3_600_000;
  await locks.set(["lock", "a"], { name: "a", holder, token: EVIL, since: now, timeout, until: now + timeout });
  const name = `n${EVIL}`;
  const texts = { startDate: EVIL, id: EVIL, fence: EVIL, error: EVIL, trigger: EVIL };
  const result = { warnings: [EVIL] };
  const record: RunRecord = { name, startTime: 7, status: "failed", holder, timeout: 9, result, ...texts };
  await jobs.set({ name, startTime: 7 }, record);
  // Its entry in the index, as a manager would write it.
  await using times = await openChannel("oJobManager-times");
  await times.set([7, name], 0);
}

/** The printed lines, checked for control characters. */
function lines(text: string): string[] {
  expect(text).not.toMatch(/(?!\n)[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u);
  return text.split("\n").slice(0, -1);
}

test("the tables of history and locks show control characters as escapes, and no stored text forges a row", async () => {
  await using manager = await openJobManager({});
  await plant(manager);
  const history = await runsText(await given("runs"), manager, {});
  const locks = await locksText(await given("locks"), manager);
  expect(lines(history)).toHaveLength(3);
  const cell = SHOWN.replace("\\n", " ");
  expect(history.split(cell)).toHaveLength(5);
  expect(history).toContain(`n${SHOWN}\\r`);
  expect(lines(locks)).toHaveLength(4);
  expect(locks.split(cell)).toHaveLength(2);
  expect(locks).toContain(`n${SHOWN}\\r`);
});

const JOBS = `include: [oJobManager.yaml]
jobs:
  - { name: Init, to: oJobManager Init, args: { chJobs: &db { type: db, args: { file: ./ojm.db } }, chLocks: *db } }
  - { name: A, from: oJobManager Job Start, to: oJobManager Job End, args: { name: a }, exec: print(1) }
todo: [Init, A]
`;

test("a refused run names the holder of the lock, with control characters as escapes", async () => {
  const folder = folderWith({ "a.yaml": JOBS });
  await prepareType("db");
  const store = { type: "db", args: { file: `${folder}/ojm.db` } };
  await using manager = await openJobManager({ chJobs: store, chLocks: store });
  await plant(manager);
  const { code, out, err } = await ojm(folder, "run", "a.yaml");
  expect([code, err]).toEqual([1, expect.stringContaining(`held by ${SHOWN}`)]);
  lines(out);
  lines(err);
});
