import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { programArgs } from "@ojm/testing/programs";
import { expect, test } from "vitest";
import type { RunRecord } from "../types.js";
import { closeOnExit, forgetOnExit } from "./exit.js";

const child = programArgs(new URL("../../testing/exit.child.ts", import.meta.url));

test("a run that is open when its process ends normally is closed as lost, and the process ends", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, child);
  const { told, records } = JSON.parse(stdout) as { told: string[]; records: RunRecord[] };
  const open = records.find(({ name }) => name === "left open");
  expect(open).toMatchObject({ status: "lost", error: "its process ended without closing the run" });
  expect(records.find(({ name }) => name === "in order")?.status).toBe("completed");
  expect(told.length).toBe(1);
});

test("a process has one beforeExit listener for all its managers, and none once they are closed", () => {
  const before = process.listenerCount("beforeExit");
  const closeOpenRuns = async (): Promise<boolean> => false;
  const [one, two] = [{ closeOpenRuns }, { closeOpenRuns }];
  const listeners = (): number => process.listenerCount("beforeExit") - before;
  closeOnExit(one);
  closeOnExit(two);
  expect(listeners()).toBe(1);
  forgetOnExit(one);
  expect(listeners()).toBe(1);
  forgetOnExit(two);
  expect(listeners()).toBe(0);
});
