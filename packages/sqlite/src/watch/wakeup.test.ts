import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { eventually, temporaryFile } from "../testing/fixtures.js";
import { removeWakeFile, touchWakeFile, wakeFile } from "./wake-file.js";
import { Wakeup } from "./wakeup.js";

function counting(file: string, id: number): { wakeup: Wakeup; wakes: () => number; polls: () => number } {
  let wakes = 0;
  let polls = 0;
  const wakeup = new Wakeup(file, { wake: () => void wakes++, poll: () => void polls++ });
  wakeup.start(id);
  onTestFinished(() => wakeup.stop());
  return { wakeup, wakes: () => wakes, polls: () => polls };
}

function temporaryDatabase(): string {
  const file = temporaryFile();
  writeFileSync(file, "", { mode: 0o660 });
  return file;
}

it("a wakeup wakes whenever its own wake file is touched, and not when another wake file is", async () => {
  const file = temporaryDatabase();
  const one = counting(file, 1);
  const two = counting(file, 2);
  for (let i = 1; i <= 3; i++) {
    touchWakeFile(file, 1);
    await eventually(one.wakes).toBe(i);
  }
  expect(two.wakes()).toBe(0);
});

it("a wake file may be written by everybody who may write the database", () => {
  const file = temporaryDatabase();
  counting(file, 1);
  expect(statSync(wakeFile(file, 1)).mode).toBe(statSync(file).mode);
});

it("a wakeup is woken by other users, if they may write the database", async ({ skip }) => {
  if (process.geteuid?.() !== 0) skip("only root can become another user");
  const file = temporaryDatabase();
  chmodSync(dirname(file), 0o755);
  chmodSync(file, 0o666);
  const { wakes } = counting(file, 1);
  process.seteuid?.("nobody");
  try {
    touchWakeFile(file, 1);
  } finally {
    process.seteuid?.(0);
  }
  await eventually(wakes).toBeGreaterThan(0);
});

it("a wakeup is woken by a user of the group that shares the database", async ({ skip }) => {
  if (process.geteuid?.() !== 0) skip("only root can become another user");
  const file = temporaryDatabase();
  const group = statSync(file).gid + 65_000;
  chownSync(dirname(file), 0, group);
  chmodSync(dirname(file), 0o2770);
  chownSync(file, 0, group);
  chmodSync(file, 0o660);
  const { wakes } = counting(file, 1);
  process.setegid?.(group);
  process.seteuid?.("nobody");
  try {
    touchWakeFile(file, 1);
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
  await eventually(wakes).toBeGreaterThan(0);
});

it("a wakeup continues with a new wake file when its own was removed", async () => {
  const file = temporaryDatabase();
  const { wakes } = counting(file, 1);
  rmSync(wakeFile(file, 1));
  await eventually(() => existsSync(wakeFile(file, 1))).toBe(true);
  const before = wakes();
  touchWakeFile(file, 1);
  await eventually(wakes).toBeGreaterThan(before);
});

it("a wakeup polls where it can have no wake file", async () => {
  const { polls } = counting("/proc/no-folder/jobs.db", 1);
  await eventually(polls).toBeGreaterThan(1);
});

it("a wakeup polls a quarter as often once its wake file has woken it, unless something waits for that", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const file = temporaryDatabase();
  const { wakeup, wakes, polls } = counting(file, 1);
  vi.advanceTimersByTime(1_000);
  expect(polls()).toBe(4);
  touchWakeFile(file, 1);
  await eventually(wakes).toBe(1);
  vi.advanceTimersByTime(4_250);
  expect(polls()).toBe(4 + 1 + 4);
  wakeup.soon();
  vi.advanceTimersByTime(250);
  expect(polls()).toBe(4 + 1 + 4 + 1);
  // Without a wake file, only a poll can notice it.
  rmSync(wakeFile(file, 1));
  await eventually(wakes).toBeGreaterThan(1);
  vi.advanceTimersByTime(1_000);
  const before = polls();
  vi.advanceTimersByTime(1_000);
  expect(polls() - before).toBe(4);
});

it("a wakeup that is stopped removes its wake file, and neither wakes nor polls any more", async () => {
  const file = temporaryDatabase();
  const { wakeup, wakes, polls } = counting(file, 1);
  const other = counting(file, 2);
  wakeup.stop();
  expect(existsSync(wakeFile(file, 1))).toBe(false);
  const before = polls();
  touchWakeFile(file, 1);
  touchWakeFile(file, 2);
  await eventually(other.wakes).toBe(1);
  await eventually(other.polls).toBeGreaterThan(1);
  expect([wakes(), polls()]).toEqual([0, before]);
});

it("touching or removing a wake file that is absent does no harm", () => {
  const file = temporaryDatabase();
  touchWakeFile(file, 7);
  removeWakeFile(file, 7);
  expect(existsSync(wakeFile(file, 7))).toBe(false);
});

it("a link in the place of a wake file is not followed", () => {
  const file = temporaryDatabase();
  const other = temporaryDatabase();
  utimesSync(other, 5, 5);
  symlinkSync(other, wakeFile(file, 1));
  touchWakeFile(file, 1);
  expect(statSync(other).mtimeMs).toBe(5_000);
  expect(lstatSync(wakeFile(file, 1)).mtimeMs).toBeGreaterThan(5_000);
});
