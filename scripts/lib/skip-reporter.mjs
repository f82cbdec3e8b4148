/**
 * A reporter for vitest that says at the end which tests were skipped, and why: one line for each reason in a
 * file.
 */
export default class SkipReporter {
  onTestRunEnd(modules) {
    const lines = new Map();
    for (const module of modules) {
      for (const test of module.children.allTests("skipped")) {
        // A test that is declared as skipped has the reason in its name.
        const why = test.result().note ?? test.name;
        const line = `${module.relativeModuleId}: ${why}`;
        lines.set(line, (lines.get(line) ?? 0) + 1);
      }
    }
    if (lines.size > 0) console.log("\nskipped:");
    for (const [line, count] of [...lines].sort()) console.log(`${String(count).padStart(5)} × ${line}`);
  }
}
