import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { expect, it, onTestFinished } from "vitest";
import { eventually, temporaryFile } from "../testing/fixtures.js";
import { Wakeup } from "./wakeup.js";

function counting(file: string): { wakeup: Wakeup; calls: () => number } {
  let calls = 0;
  const wakeup = new Wakeup(file, () => void calls++);
  wakeup.start();
  onTestFinished(() => wakeup.stop());
  return { wakeup, calls: () => calls };
}

it("calls when the log grows, when it was replaced, and where there is none yet", async () => {
  const file = temporaryFile();
  const { calls } = counting(file);
  const wal = `${file}-wal`;
  await eventually(calls).toBeGreaterThan(0);
  for (const step of [
    () => writeFileSync(wal, "1"),
    () => appendFileSync(wal, "2"),
    () => rmSync(wal),
    () => writeFileSync(wal, "3"),
    () => appendFileSync(wal, "4"),
  ]) {
    const before = calls();
    step();
    await eventually(calls).toBeGreaterThan(before);
  }
});

it("calls no more once it was stopped", async () => {
  const file = temporaryFile();
  writeFileSync(`${file}-wal`, "1");
  const { wakeup, calls } = counting(file);
  const other = counting(file);
  appendFileSync(`${file}-wal`, "2");
  await eventually(other.calls).toBeGreaterThan(0);
  wakeup.stop();
  const before = calls();
  const othersBefore = other.calls();
  appendFileSync(`${file}-wal`, "3");
  await eventually(other.calls).toBeGreaterThan(othersBefore + 3);
  expect(calls()).toBe(before);
});
