import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "@ojm/testing/folder";
import { build } from "tsup";
import { afterAll, beforeAll, expect, test } from "vitest";

const folder = temporaryFolder(afterAll);

// Test a bundled build: with the loader of the sources, a thread starts ten times slower and serves one job
// only.
beforeAll(async () => {
  const source = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  const common = { config: false, silent: true, outDir: folder, target: "node20", dts: false } as const;
  const cjs = { format: "cjs", outExtension: () => ({ js: ".cjs" }) } as const;
  await build({ ...common, ...cjs, entry: { "script-worker": source("../script/worker/main.ts") } });
  await build({
    ...common,
    format: "esm",
    outExtension: () => ({ js: ".mjs" }),
    entry: { child: source("./scale.child.ts") },
    noExternal: [/^@ojm\//, "yaml"],
    esbuildOptions: (options) => {
      options.conditions = ["@ojm/source", "import"];
      // This build of the two consists of ES modules.
      options.alias = {
        yaml: join(dirname(createRequire(import.meta.url).resolve("yaml/package.json")), "browser/index.js"),
      };
    },
  });
});

/** Runs a job file in its own process. Returns the messages of its log and its resource use. */
function run(yaml: string): { lines: string[]; well: boolean; megabytes: number; ms: number } {
  const file = join(folder, "jobs.yaml");
  writeFileSync(file, yaml);
  const lines = execFileSync(process.execPath, [join(folder, "child.mjs"), file], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 1 << 26,
  })
    .trimEnd()
    .split("\n");
  const took = JSON.parse(lines.pop() ?? "");
  return { lines: lines.map((line) => line.replace(/^.* \| /, "")), ...took };
}

test("a thousand launched jobs that sleep run on no more threads than allowed, in bounded memory, and all finish", () => {
  const { lines, well, megabytes } = run(`include: oJobManager.yaml
ojob: { numThreads: 3 }
jobs:
  - name: Launch
    exec: for (let i = 0; i < 1000; i++) global.oJobManagerLaunchJob("Sleep", { i })
  - name: Sleep
    exec: sleep(2); log(require("worker_threads").threadId + " " + args.i)
todo: [Launch]
`);
  const ran = lines.map((line) => line.split(" "));
  expect([well, ran.length, new Set(ran.map(([, i]) => i)).size]).toEqual([true, 1000, 1000]);
  expect(new Set(ran.map(([thread]) => thread)).size).toBeLessThanOrEqual(3);
  expect(megabytes).toBeLessThan(400);
});

test("a thousand jobs in one todo use one thread", () => {
  const { lines, well } = run(`jobs:
  - { name: A, exec: 'log(require("worker_threads").threadId)' }
todo: [${Array.from({ length: 1000 }, () => "A").join(", ")}]
`);
  expect([well, lines.length, new Set(lines).size]).toEqual([true, 1000, 1]);
});
