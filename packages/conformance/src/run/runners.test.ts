/**
 * The suite in other test runners.
 * @module-tag full
 */
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import { temporaryFolder } from "@ojm/testing/folder";
import { tsArgs } from "@ojm/testing/programs";
import { afterAll, describe, expect, it } from "vitest";

const folder = temporaryFolder(afterAll);

const source = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);

/**
 * A test file for another runner: the example, and with `WRONG` set the example with a case listed that
 * passes.
 */
function testFile(runner: string): string {
  const file = join(folder, `${Math.random().toString(36).slice(2)}.test.mjs`);
  writeFileSync(
    file,
    `${runner}
import { register } from ${source("./register.ts")};
import { harness } from ${source("../example/harness.ts")};
const knownFailures = process.env.WRONG === undefined ? {} : { "CAS-001": "was wrong once" };
register({ describe, it }, { ...harness, knownFailures }, { only: ["CAS", "ERR-001"] });
`,
  );
  return file;
}

async function runs(args: readonly string[], wrong: boolean): Promise<{ code: number; output: string }> {
  const env = {
    ...process.env,
    ...(wrong ? { WRONG: "1" } : {}),
    NODE_OPTIONS: tsArgs().join(" "),
  };
  // Set by an outer runner, it makes the inner one report to it.
  delete (env as Record<string, unknown>)["NODE_TEST_CONTEXT"];
  const cwd = new URL("../..", import.meta.url).pathname;
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [...args], { env, cwd });
    return { code: 0, output: stdout };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { code, output: stdout };
  }
}

describe("register", () => {
  it("register() declares cases as tests of node:test", async () => {
    const args = ["--test", "--test-reporter=tap", testFile('import { describe, it } from "node:test";')];
    const right = await runs(args, false);
    expect(right.output).toContain("CAS-001 Expecting absence wins where there is no entry.");
    expect(right.output).toMatch(/ERR-001 .*# SKIP the harness has no partition/);
    expect(right.code).toBe(0);
    const wrong = await runs(args, true);
    expect(wrong.output).toContain("not ok 1 - CAS-001");
    expect(wrong.code).not.toBe(0);
  });

  it("register() declares cases as tests of mocha", async () => {
    const mocha = createRequire(import.meta.url).resolve("mocha/bin/mocha.js");
    const args = [mocha, testFile("const { describe, it } = globalThis;")];
    const right = await runs(args, false);
    expect(right.output).toContain("CAS-001 Expecting absence wins where there is no entry.");
    expect(right.output).toMatch(/1 pending/);
    expect(right.code).toBe(0);
    const wrong = await runs(args, true);
    expect(wrong.output).toContain("1 failing");
    expect(wrong.code).toBe(1);
  });
});
