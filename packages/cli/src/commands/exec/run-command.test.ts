import { existsSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import type { JobManager } from "@ojm/core";
import { folderWith } from "@ojm/testing/folder";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { storeIn } from "../../testing/store.js";
import { CommandRunner } from "./run-command.js";

let folder: string;
let manager: JobManager;

beforeEach(async () => {
  folder = folderWith({});
  manager = await storeIn(folder);
});

const file = (name: string): string => join(folder, name);

/**
 * Lets a runner take the signals. Returns a function that delivers one to it: a real signal would hit the
 * test too.
 */
function passedOn(runner: CommandRunner): (signal: NodeJS.Signals) => void {
  const on = vi.spyOn(process, "on");
  runner.passOnSignals();
  const added = on.mock.calls as unknown as (readonly [NodeJS.Signals, (signal: string, number: number) => void])[];
  const arrives = new Map(added);
  on.mockRestore();
  onTestFinished(() => {
    for (const [signal, listener] of arrives) process.off(signal, listener);
  });
  return (signal) => arrives.get(signal)?.(signal, constants.signals[signal]);
}

test("two signals within a second are one: timeout(1) and npm each send theirs twice", async () => {
  const script = "trap 'echo >>got' TERM; echo >began; while [ ! -e stop ]; do sleep 0.02; done; exit 0";
  const words = ["sh", "-c", `cd "$1" && ${script}`, "sh", folder];
  const runner = new CommandRunner(manager, { words, timeout: 600_000, grace: 600_000, wait: 0 });
  onTestFinished(() => writeFileSync(file("stop"), ""));
  const arrives = passedOn(runner);
  const run = manager.run("backup", (it) => runner.body(it));
  await expect.poll(() => existsSync(file("began"))).toBe(true);
  arrives("SIGTERM");
  arrives("SIGTERM");
  await expect.poll(() => existsSync(file("got"))).toBe(true);
  writeFileSync(file("stop"), "");
  expect((await run).record.status).toBe("completed");
});
