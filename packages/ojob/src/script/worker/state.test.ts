import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { afterEach, beforeEach, expect, test } from "vitest";
import { giveVariables, keepVariables, watchVariables } from "./state.js";

const { env, loadEnvFile } = process;
beforeEach(() => {
  process.env["OJM_TEST_OWN"] = "own";
  watchVariables();
});
afterEach(() => {
  giveVariables({}, true);
  process.env = env;
  process.loadEnvFile = loadEnvFile;
  for (const name of ["OJM_TEST_OWN", "OJM_TEST_A", "OJM_TEST_B"]) delete process.env[name];
});

/** The values of the variables of this test. */
function values(): (string | undefined)[] {
  return ["OJM_TEST_OWN", "OJM_TEST_A", "OJM_TEST_B"].map((name) => process.env[name]);
}

test("the next job finds nothing of what the job before had, set or deleted", () => {
  giveVariables({ OJM_TEST_OWN: "job", OJM_TEST_A: "job" }, true);
  expect(values()).toEqual(["job", "job", undefined]);
  delete process.env["OJM_TEST_OWN"];
  Object.assign(process.env, { OJM_TEST_B: 1 });
  expect(values()).toEqual([undefined, "job", "1"]);
  giveVariables({ OJM_TEST_A: "next" }, true);
  expect(values()).toEqual(["own", "next", undefined]);
});

test("the next job finds nothing of what process.loadEnvFile has set", () => {
  const file = join(folderWith({}), "a.env");
  writeFileSync(file, "OJM_TEST_A=file\n");
  giveVariables({}, true);
  process.loadEnvFile(file);
  expect(values()).toEqual(["own", "file", undefined]);
  giveVariables({}, true);
  expect(values()).toEqual(["own", undefined, undefined]);
});

test("the next step finds what the step before has set, and its own variables instead of those of that step", () => {
  giveVariables({ OJM_TEST_A: "job", OJM_TEST_OWN: "step" }, true);
  process.env["OJM_TEST_A"] = "set";
  giveVariables({ OJM_TEST_A: "job", OJM_TEST_B: "step" }, false);
  expect(values()).toEqual(["own", "set", "step"]);
});

test("what files under loads set stays, and what they were given is gone", () => {
  giveVariables({ OJM_TEST_A: "file", OJM_TEST_OWN: "file" }, true);
  Object.assign(process.env, { OJM_TEST_B: "loaded", OJM_TEST_OWN: "loaded" });
  keepVariables();
  giveVariables({ OJM_TEST_B: "job" }, true);
  expect(values()).toEqual(["loaded", undefined, "job"]);
  giveVariables({}, true);
  expect(values()).toEqual(["loaded", undefined, "loaded"]);
});
