import { defineConfig, type ViteUserConfig } from "vitest/config";

// Packages see each other's sources through the "@ojm/source" export condition, here, in child processes and
// in worker threads alike, so no build is needed to run one test. Not "import": vitest hands all on to Node,
// which would then take it for true of a package that is required, too.
const conditions: string[] = ["@ojm/source", "node"];

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
    maxWorkers: 2,
    // For tests that hang. A machine that stalls for a minute is no failure.
    testTimeout: 240_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    restoreMocks: true,
  },
});
export default config;
