import { writeFileSync } from "node:fs";

/**
 * A reporter for vitest that counts the tests of a part of the suite. It writes the counts, and how long
 * each file took, to the file that `OJM_PART_REPORT` names. It prints which tests were skipped, and why:
 * one line for each reason in a file. Tests of the other part are not skipped: it names the files that
 * have some. The report names what failed, so that the last lines of a long run can repeat it.
 */
export default class PartReporter {
  onTestRunEnd(modules, errors) {
    const counts = { passed: 0, failed: errors.length, skipped: 0 };
    const failures = errors.map((error) => `outside the tests: ${firstLine(error)}`);
    const leftOut = new Set();
    const lines = new Map();
    const times = {};
    for (const module of modules) {
      const { duration, setupDuration, collectDuration, prepareDuration } = module.diagnostic();
      const ms = duration + setupDuration + collectDuration + prepareDuration;
      times[module.relativeModuleId] = ms / 1_000;
      // A file that could not be loaded has no tests. The tests of a suite whose hook failed are skipped.
      for (const { errors, name } of [module, ...module.children.allSuites()].map(errorsOf)) {
        counts.failed += errors.length;
        for (const error of errors) failures.push(`${module.relativeModuleId}${name}: ${firstLine(error)}`);
      }
      for (const test of module.children.allTests()) {
        const { state, note, errors: [error] = [] } = test.result();
        if (state === "passed") counts.passed++;
        else if (state !== "skipped") {
          // A test that is still pending lost its process.
          counts.failed++;
          failures.push(`${module.relativeModuleId} > ${test.fullName}: ${firstLine(error ?? { message: state })}`);
        } else if (isOfOtherPart(test)) leftOut.add(module.relativeModuleId);
        else {
          counts.skipped++;
          // A test that is declared as skipped has the reason in its name.
          const line = `${module.relativeModuleId}: ${note ?? test.name}`;
          lines.set(line, (lines.get(line) ?? 0) + 1);
        }
      }
    }
    if (lines.size > 0) console.log("\nskipped:");
    for (const [line, count] of [...lines].sort()) console.log(`${String(count).padStart(5)} × ${line}`);
    const file = process.env.OJM_PART_REPORT;
    if (file !== undefined) writeFileSync(file, JSON.stringify({ ...counts, failures, leftOut: [...leftOut], times }));
  }
}

const errorsOf = (part) => ({ errors: part.errors(), name: part.fullName === undefined ? "" : ` > ${part.fullName}` });

function firstLine({ message }) {
  return String(message).split("\n", 1)[0];
}

function isOfOtherPart({ tags }) {
  const part = process.env.OJM_PART;
  return part !== undefined && tags.includes("full") === (part === "quick");
}
