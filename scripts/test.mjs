import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "./lib/build.mjs";
import { check } from "./lib/check/check.mjs";
import { install } from "./lib/install.mjs";
import { buildChildren } from "./lib/programs.mjs";
import { root, stop, tool } from "./lib/run.mjs";
import { installServers } from "./lib/servers.mjs";

await install();
await installServers();
await build();
const failedChecks = await check();
if (!(await buildChildren())) stop("The child processes of the tests could not be built.", "See the messages above.");

const report = join(root, "node_modules/.ojm/tests.json");
mkdirSync(join(root, "node_modules/.ojm"), { recursive: true });
rmSync(report, { force: true });
const args = [
  "run",
  "--reporter=default",
  "--reporter=scripts/lib/skip-reporter.mjs",
  "--reporter=json",
  `--outputFile.json=${report}`,
  ...process.argv.slice(2),
];
// Processes that tests start run what was built: from the sources, each takes a second of processor time.
const code = await tool("vitest", args, { env: { OJM_BUILT: "1" } });

const { passed, failed, skipped } = count();
if (failedChecks.length > 0) console.log(`\nfailed checks: ${failedChecks.join(", ")}`);
console.log(`\n${passed} passed, ${failed + failedChecks.length} failed, ${skipped} skipped`);
process.exit(code === 0 && failed === 0 && failedChecks.length === 0 && passed > 0 ? 0 : 1);

/** A run that broke before it could report counts as one failure. */
function count() {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, success } = JSON.parse(
      readFileSync(report, "utf8"),
    );
    const broken = !success && numFailedTests === 0 ? 1 : 0;
    return { passed: numPassedTests, failed: numFailedTests + broken, skipped: numPendingTests + numTodoTests };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
