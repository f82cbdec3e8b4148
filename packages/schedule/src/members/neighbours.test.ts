import { spawnSync } from "node:child_process";
import { ChannelError, type Holder } from "@ojm/core";
import { expect, it, onTestFinished } from "vitest";
import { FakeClock, settled } from "../../../core/src/testing/fake-clock.js";
import { memberKey } from "../store/schema.js";
import { Neighbours } from "./neighbours.js";

const SELF: Holder = { host: "here", pid: process.pid, instance: "b" };

/** The pid of a process that has just ended. */
const DEAD = spawnSync(process.execPath, ["--version"]).pid;

/**
 * Neighbours whose calls of `onDeath` have the results of `answers`, one after the other, and a count of
 * these calls.
 */
function neighbours(...answers: (() => Promise<unknown>)[]) {
  const clock = new FakeClock();
  const ending = new AbortController();
  onTestFinished(() => ending.abort());
  let calls = 0;
  const onDeath = async (): Promise<unknown> => answers[calls++]?.();
  const near = new Neighbours({ self: SELF, clock, signal: ending.signal, onDeath });
  const lives = (instance: string, pid: number, host = SELF.host): void =>
    near.put(memberKey(instance), { by: { host, pid, instance }, parts: 1 });
  return { clock, near, lives, calls: () => calls };
}

const away = (): Promise<never> => Promise.reject(new ChannelError("UNAVAILABLE", "away", { retryable: true }));
const done = async (): Promise<void> => {};

it("a death is reported once, though the entry of the dead stays and is written again", async () => {
  const { clock, lives, calls } = neighbours(done);
  lives("a", DEAD);
  await clock.advance(1_000);
  expect(calls()).toBe(1);
  lives("a", DEAD);
  await clock.advance(10_000);
  expect(calls()).toBe(1);
});

it("a death is reported again until the store has answered", async () => {
  const { clock, lives, calls } = neighbours(away, away, done);
  lives("a", DEAD);
  await clock.advance(2_000);
  expect(calls()).toBe(2);
  await clock.advance(10_000);
  expect(calls()).toBe(3);
});

it("a death is not reported again if the entry of the dead went while the store did not answer", async () => {
  let fail = (): void => {};
  const failed = new Promise<void>((resolve) => {
    fail = resolve;
  });
  const { clock, near, lives, calls } = neighbours(() => failed.then(away));
  lives("a", DEAD);
  await clock.advance(1_000);
  near.gone(memberKey("a"));
  fail();
  await settled();
  await clock.advance(10_000);
  expect(calls()).toBe(1);
});

it("a death is reported by the first of the living alone, and none asks for processes of other hosts", async () => {
  const { clock, near, lives, calls } = neighbours(done);
  lives("a", process.ppid);
  lives("c", DEAD);
  lives("d", DEAD, "elsewhere");
  await clock.advance(5_000);
  expect(calls()).toBe(0);
  near.gone(memberKey("a"));
  lives("e", DEAD);
  await clock.advance(1_000);
  expect(calls()).toBe(1);
});
