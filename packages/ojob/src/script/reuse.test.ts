import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "@ojm/testing/folder";
import { build } from "tsup";
import { afterAll, beforeAll, expect, test } from "vitest";

/** Scripts, and whether the thread that ran one may serve the next job. */
const SCRIPTS: Readonly<Record<string, readonly [code: string, reusable: boolean]>> = {
  "nothing but a timer that went off, a file that was read, some output": [
    "await new Promise(r => setTimeout(r, 2)); require('fs').readFileSync('/dev/null'); console.log(1);",
    true,
  ],
  "variables in process.env": ["process.env.LEFT = process.env.GIVEN; delete process.env.PATH", true],
  "variables that are defined": [
    "Object.defineProperty(process.env, 'LEFT', { value: 'x', writable: true, enumerable: true, configurable: true })",
    true,
  ],
  "data in global": ["global.list = [1]; more = 'a'", true],
  "a function in global": ["global.f = () => 1", false],
  "a map with a function in global": ["tools = { f() {} }", false],
  "an error": ["throw new Error('x')", true],
  "a timer": ["setTimeout(() => {}, 50)", false],
  "a timer that keeps nothing alive": ["setTimeout(() => { throw new Error('late') }, 20).unref()", false],
  "an interval": ["setInterval(() => {}, 1000)", false],
  "a server": ["require('net').createServer().listen(0).unref()", false],
  "a file that is being read": ["require('fs').promises.readFile('/dev/zero').catch(() => {})", false],
  "a listener of the process": ["process.on('unhandledRejection', () => {})", false],
  "an unhandled rejection": ["Promise.reject(new Error('x'))", false],
};

const folder = temporaryFolder(afterAll);
let results: readonly string[] = [];

// Runs a build in a process without the loader of the sources: that loader leaves file operations of its own
// in each new thread.
beforeAll(async () => {
  const source = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  const common = { config: false, silent: true, outDir: folder, target: "node20", dts: false } as const;
  const cjs = { format: "cjs", outExtension: () => ({ js: ".cjs" }) } as const;
  await build({ ...common, ...cjs, entry: { "script-worker": source("./worker/main.ts") } });
  await build({
    ...common,
    format: "esm",
    outExtension: () => ({ js: ".mjs" }),
    entry: { child: source("./reuse.child.ts") },
  });
  const codes = Object.values(SCRIPTS).map(([code]) => code);
  results = execFileSync(process.execPath, [join(folder, "child.mjs"), ...codes], { encoding: "utf8" }).split("\n");
});

test.each(Object.entries(SCRIPTS).map(([name, [, reusable]], index) => [name, reusable, index] as const))(
  "a thread in which a script left %s serves the next job: %s",
  (_, reusable, index) => {
    expect(results[index]).toBe(`${reusable} `);
  },
);
