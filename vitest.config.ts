import { relative } from "node:path";
import { defineConfig, type ViteUserConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

// Packages see each other's sources through the "@ojm/source" export condition, here, in child processes and
// in worker threads alike, so no build is needed to run one test. Not "import": vitest hands all on to Node,
// which would then take it for true of a package that is required, too.
const conditions: string[] = ["@ojm/source", "node"];

/**
 * Begins with the files that take longest: those of processes and servers. A fresh clone knows no times, and
 * by size the last files are the conformance suites, of which one would go on alone for a minute.
 */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean =>
      /^(test|examples)\//.test(relative(import.meta.dirname, moduleId));
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

const config: ViteUserConfig = defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: [
      "packages/*/src/**/*.test.ts",
      "packages/ui/test/**/*.test.ts",
      "examples/**/*.test.ts",
      "test/**/*.test.ts",
    ],
    pool: "forks",
    execArgv: ["--import", "tsx", "--conditions=@ojm/source"],
    setupFiles: ["./test/setup.ts"],
    // More than the smallest machine has processors: most files wait for leases, servers and processes.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // For tests that hang. A machine that stalls for a minute is no failure.
    testTimeout: 240_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    restoreMocks: true,
  },
});
export default config;
