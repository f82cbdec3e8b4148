import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./run.mjs";

/** The tests of the repository, as paths from its root. */
export function testFiles() {
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: root, encoding: "utf8" });
  return listed.split("\n").filter((file) => /\.test\.tsx?$/.test(file) && existsSync(join(root, file)));
}

/** The files of which `npm test` leaves out every test: by `@module-tag full` in their first comment. */
export function leftWhole() {
  return testFiles().filter((file) =>
    /^\s*(\/\*\*?)?[^;]*@module-tag full\b/.test(readFileSync(join(root, file), "utf8").slice(0, 500)),
  );
}

const TIMES = join(root, "scripts/lib/test-times.json");

/** How long the slow files of the parts take, in s, as `npm run test:all -- --times` measured it. */
export function testTimes() {
  return JSON.parse(readFileSync(TIMES, "utf8"));
}

/** Writes the times of the files of both parts that take more than a few seconds. */
export function writeTestTimes(times) {
  const slow = (part) =>
    Object.fromEntries(
      Object.entries(part ?? {})
        .filter(([, seconds]) => seconds >= 5)
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([file, seconds]) => [file, Math.round(seconds)]),
    );
  const { quick, rest } = times;
  writeFileSync(TIMES, `${JSON.stringify({ quick: slow(quick), rest: slow(rest) }, undefined, 2)}\n`);
}

/** The time of a file that is not in the table, in s: mostly the start of its process. */
const SHORT = 2;

/** The cost of the checks for the first shard, in seconds of tests. */
const CHECKS = 300;

/**
 * The tests of each shard, which take about the same time, both parts together. The same on every machine.
 */
export function shards(count) {
  const { quick, rest } = testTimes();
  const whole = new Set(leftWhole());
  const costOf = (file) => (whole.has(file) ? 0 : (quick[file] ?? SHORT)) + (rest[file] ?? 0);
  const costs = testFiles().map((file) => [file, costOf(file)]);
  costs.sort(([one, a], [other, b]) => b - a || (one < other ? -1 : 1));
  const dealt = Array.from({ length: count }, (_, i) => ({ files: [], seconds: i === 0 ? CHECKS : 0 }));
  for (const [file, seconds] of costs) {
    const least = dealt.reduce((one, other) => (other.seconds < one.seconds ? other : one));
    least.files.push(file);
    least.seconds += seconds;
  }
  return dealt;
}

/**
 * The tests of packages, by name, that need a process of their own: they fill the memory, count what their
 * process has, register types of stores, or have script threads that are not built, as those of openaf are.
 */
export const ALONE = [
  "simulation",
  "planted-bugs",
  "chaos",
  "leaks",
  "year",
  "exit",
  "prometheus",
  "packages",
  "names",
  "open",
];
