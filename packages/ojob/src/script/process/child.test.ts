import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { folderWith } from "@ojm/testing/folder";
import { expect, test, vi } from "vitest";
import { ChildGroup } from "./child.js";

const sink = { line: () => {}, room: async () => {} };

/** A group that leaves a file behind as soon as it runs, and that file. */
function group(): { group: ChildGroup; mark: string } {
  const mark = join(folderWith({}), "ran");
  return { group: new ChildGroup({ command: "sh", parameters: ["-c", `touch ${mark}`] }, 5_000), mark };
}

const timeout = { name: "RunError", message: "the run took too long" };
const stopped = { name: "StopError", message: "the job was stopped" };

test.each([
  ["stopped", (one: ChildGroup) => one.stop(), undefined],
  ["ended", (one: ChildGroup) => one.end(stopped), stopped],
  ["ended because its lock is gone", (one: ChildGroup) => one.end(timeout), timeout],
])("a program that is %s while it is about to start is never started", async (_, tell, ended) => {
  const { group: one, mark } = group();
  const end = one.run(sink);
  tell(one);
  expect(await end).toEqual({ code: null, signal: "SIGTERM", result: "", ...(ended && { ended }) });
  expect(existsSync(mark)).toBe(false);
});

test("a process group that has ended gets no signal any more: its id may be another group's by now", async () => {
  const grace = 20;
  const parameters = ["-c", "trap 'exit 0' TERM; echo up; while :; do sleep 0.01; done"];
  const one = new ChildGroup({ command: "sh", parameters }, grace);
  let up = (): void => {};
  const running = new Promise<void>((resolve) => {
    up = resolve;
  });
  const end = one.run({ line: () => up(), room: async () => {} });
  await running;
  one.end(stopped);
  await end;
  const kill = vi.spyOn(process, "kill");
  // Node calls timers in order: the timer of the grace period was set before, and is shorter.
  await after(grace + 20);
  one.stop();
  one.end(timeout);
  expect(kill.mock.calls).toEqual([]);
});
