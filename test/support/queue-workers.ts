import type { JobManagerOptions } from "@ojm/core";
import { expect } from "vitest";
import { type Child, startChild } from "./processes.js";

/** A process that works the queue `mail`. `began`: the ids of the items that it has begun. */
export interface Worker extends Child {
  readonly began: string[];
}

/** Starts such a process. `takes`: how long it handles an item, in ms. */
export async function begin(options: JobManagerOptions, takes = 20): Promise<Worker> {
  const child = startChild("queueing.child.ts", [JSON.stringify(options), String(takes)]);
  const began: string[] = [];
  child.process.on("message", (text) => void (text === "ready" || began.push(String(text))));
  expect(await child.message()).toBe("ready");
  return { ...child, began };
}

/** Kills the oldest of the workers while it works, and starts another one, as often as this. */
export async function replaceKilled(workers: Worker[], options: JobManagerOptions, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const victim = workers.shift() as Worker;
    await expect.poll(() => victim.began.length).toBeGreaterThan(i);
    victim.process.kill("SIGKILL");
    await victim.ended;
    workers.push(await begin(options));
  }
}

/** Ends processes with SIGTERM. Each must end well, without a message. */
export async function stop(...workers: readonly Worker[]): Promise<void> {
  for (const { process } of workers) process.kill("SIGTERM");
  for (const { ended, output } of workers) expect([await ended, output.stderr]).toEqual([0, ""]);
}
