import { JobManager, type RunRecord } from "@ojm/core";
import { processIdentity } from "@ojm/core/backend";
import { expect, test } from "vitest";
import { prepareType } from "../backends.js";
import { folderWith, ojm } from "../testing/ojm.js";

/** What a terminal would obey: it clears the screen, names the window, turns the direction of writing, and forges a row. */
const EVIL = "\u001b[2J\u001b]0;x\u0007\u009b31m\u202egnp\u2066\u200f\nforged  held  nobody, pid 1\r";
const SHOWN = "\\x1b[2J\\x1b]0;x\\x07\\x9b31m\\u202egnp\\u2066\\u200f\\nforged  held  nobody, pid 1";

const JOBS = `include: [oJobManager.yaml]
jobs:
  - { name: Init, to: oJobManager Init, args: { chJobs: &db { type: db, args: { file: ./ojm.db } }, chLocks: *db } }
  - { name: A, from: oJobManager Job Start, to: oJobManager Job End, args: { name: a }, exec: print(1) }
todo: [Init, A]
`;

/** A folder whose store has a lock and a record that somebody else wrote. */
async function folderOfOthers(): Promise<string> {
  const folder = folderWith({ "a.yaml": JOBS });
  await prepareType("db");
  const store = { type: "db", args: { file: `${folder}/ojm.db` } };
  await using manager = await JobManager.init({ chJobs: store, chLocks: store });
  const { locks, jobs } = manager.channels;
  const holder = { host: EVIL, pid: 1, instance: "1-evil" };
  const process = { ...processIdentity(), host: EVIL, boot: "elsewhere" };
  await locks.set(["session", "1-evil"], { id: "1-evil", process, since: 5, beat: 0 });
  await locks.set(["lock", "a"], { name: "a", holder, token: EVIL, since: 5, timeout: 9, until: 9 });
  const name = `n${EVIL}`;
  const texts = { startDate: EVIL, fence: EVIL, error: EVIL, trigger: EVIL };
  const record: RunRecord = { name, startTime: 7, status: "failed", holder, timeout: 9, ...texts };
  await jobs.set({ name, startTime: 7 }, record);
  return folder;
}

/** What is shown, line by line: none of it is obeyed. */
function lines(text: string): string[] {
  expect(text).not.toMatch(/(?!\n)[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u);
  return text.split("\n").slice(0, -1);
}

test("what others wrote into a store is shown by ojm and never obeyed by the terminal, and forges no row", async () => {
  const folder = await folderOfOthers();
  const [history, locks] = [await ojm(folder, "history", "a.yaml"), await ojm(folder, "locks", "a.yaml")];
  expect([history.err, locks.err]).toEqual(["", ""]);
  expect(lines(history.out)).toHaveLength(3);
  expect(history.out.split(SHOWN)).toHaveLength(5);
  expect(lines(locks.out)).toHaveLength(4);
  expect(locks.out.split(SHOWN)).toHaveLength(3);
});

test("who holds a lock is told by a run that is refused, and never obeyed by the terminal", async () => {
  const { code, out, err } = await ojm(await folderOfOthers(), "run", "a.yaml");
  expect(code).toBe(1);
  lines(out);
  lines(err);
  expect(out + err).toContain(`held by ${SHOWN}`);
});
