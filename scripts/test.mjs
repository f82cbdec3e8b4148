import { fork } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { setPriority } from "node:os";
import { join } from "node:path";
import { build } from "./lib/build.mjs";
import { install } from "./lib/install.mjs";
import { buildChildren, buildTorture } from "./lib/programs.mjs";
import { root, stop, tool } from "./lib/run.mjs";
import { installServers } from "./lib/servers.mjs";
import { leftWhole, writeTestTimes } from "./lib/test-files.mjs";

const HELP = `npm test [-- WHAT …]

  npm test                          each law once, at the lowest level that can show a fault
  npm test -- packages/schedule     the tests below a folder, or one file
  npm test -- --changed [--base REV]   what the changes since REV (HEAD) can break
  npm run test:all                  the same, then all that it leaves out: other stores, full sizes, packaging
  npm run test:all -- --shard 1/3   a third of that
  npm run test:all -- --times       the same, and notes how long the slow files took: for their order and shards

Other options go to vitest: npm test -- test/hold.test.ts -t "keeps"`;

const own = { all: false, changed: false, help: false, times: false, base: "HEAD", shard: undefined };
/** Paths and options for vitest. */
const others = [];
const words = process.argv.slice(2);
for (let word = words.shift(); word !== undefined; word = words.shift()) {
  const name = word.replace(/^--/, "");
  if (name === "base" || name === "shard") own[name] = words.shift();
  else if (word.startsWith("--") && Object.hasOwn(own, name)) own[name] = true;
  else others.push(word);
}
if (own.help) {
  console.log(HELP);
  process.exit(0);
}

await install();
await installServers();
// Only the checks need declarations, and build them.
await build({ types: false });
if (!(await buildChildren())) stop("The child processes of the tests could not be built.", "See the messages above.");

// Before the checks and the tests, which both need it, and must not build it at the same time.
if (own.all && !(await buildTorture())) stop("The torture harness could not be built.", "See the messages above.");

const folder = join(root, "node_modules/.ojm");
mkdirSync(folder, { recursive: true });
const totals = { passed: 0, failed: 0, skipped: 0 };
/** What failed, a line each. */
const failures = [];

if (own.changed) others.push(...(await changed()));
const paths = others.filter((word) => !word.startsWith("-"));
// A named file runs whole.
const isWhole = paths.length > 0 && paths.every((path) => existsSync(join(root, path)) && /\.test\.tsx?$/.test(path));
if (isWhole && !own.changed) await part("all", others);
else if (!own.changed || paths.length > 0) await part("quick", others);
if (own.all) {
  // The first shard has the checks. They use the processor while the tests of the second part mostly wait.
  const checked = (own.shard ?? "1/1").startsWith("1/") ? checks() : undefined;
  const { leftOut = [] } = read(reportOf("quick")) ?? {};
  const files = [...leftOut, ...leftWhole()];
  if (paths.length > 0 || files.length > 0) await part("rest", paths.length > 0 ? others : [...others, ...files]);
  if (checked !== undefined) process.stdout.write(await checked);
}
if (own.times && own.all && own.shard === undefined && others.length === 0)
  writeTestTimes({ quick: read(reportOf("quick"))?.times, rest: read(reportOf("rest"))?.times });
// The end of a long output alone then shows what failed.
if (failures.length > 0) console.log(`\nfailed:\n${failures.map((line) => `    × ${line}`).join("\n")}`);
console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
// It is not a failure if no test can break, but it is one if tests were named and none ran.
process.exit(totals.failed === 0 && (totals.passed > 0 || own.changed) ? 0 : 1);

/** Runs the tests of one part. See vitest.config.ts for what `OJM_PART` does. */
async function part(name, words) {
  const report = reportOf(name);
  rmSync(report, { force: true });
  const args = [
    "run",
    "--reporter=default",
    "--reporter=scripts/lib/part-reporter.mjs",
    ...(name === "all" ? [] : [`--tags-filter=${name === "quick" ? "!full" : "full"}`]),
    ...(own.shard === undefined ? [] : [`--shard=${own.shard}`]),
    ...words,
  ];
  // Processes that tests start run the builds: from the sources, each takes a second of processor time.
  const code = await tool("vitest", args, { env: { OJM_BUILT: "1", OJM_PART: name, OJM_PART_REPORT: report } });
  const counted = read(report) ?? { passed: 0, failed: 1, skipped: 0, failures: [`${name}: no report`] };
  totals.passed += counted.passed;
  totals.skipped += counted.skipped;
  failures.push(...counted.failures);
  // A run that broke outside its tests counts as one failure.
  const broke = counted.failed === 0 && code !== 0;
  if (broke) failures.push(`${name}: vitest ended with ${code}`);
  totals.failed += broke ? 1 : counted.failed;
}

/** The tests that changes since `base` can break. */
async function changed() {
  const { affectedTests } = await import("./lib/affected.mjs");
  const tests = await affectedTests(own.base);
  if (tests.length === 0) console.log("No test reaches what changed.");
  return tests;
}

/** Runs the checks, in a process that leaves the processors to the tests. Resolves to what it printed. */
async function checks() {
  const child = fork(join(root, "scripts/check.mjs"), { silent: true });
  try {
    if (child.pid !== undefined) setPriority(child.pid, 10);
  } catch {
    // Not on this system, or it has ended.
  }
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => output.push(data));
  let failed;
  child.on("message", (names) => {
    failed = names;
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  // If it broke, it did not report what failed.
  const broken = failed ?? (code === 0 ? [] : [`ended with ${code}`]);
  failures.push(...broken.map((check) => `check: ${check}`));
  totals.failed += broken.length;
  return Buffer.concat(output);
}

function reportOf(name) {
  return join(folder, `tests-${name}.json`);
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}
