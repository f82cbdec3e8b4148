import { relative } from "node:path";
import { defineConfig, type TestProjectConfiguration, type ViteUserConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { ALONE, leftWhole, shards, testTimes } from "./scripts/lib/test-files.mjs";

type ProjectOptions = Omit<NonNullable<ViteUserConfig["test"]>, "name" | "projects">;

/** How the tests of a project find the packages of this repository. */
interface Found extends Pick<ViteUserConfig, "resolve" | "ssr"> {
  /** How the processes and threads that they start find them. */
  readonly execArgv: string[];
}

function found(execArgv: string[], ...conditions: string[]): Found {
  return { resolve: { conditions }, ssr: { resolve: { conditions, externalConditions: conditions } }, execArgv };
}

// Packages see each other's sources through the "@ojm/source" export condition, so no build is needed to run
// one test. Not "import": vitest hands all on to Node, which would then take it for true of a package that is
// required, too.
const SOURCES: Found = found(["--conditions=@ojm/source"], "@ojm/source", "node");

/**
 * The tests of the whole product use the packages as users get them, if scripts/test.mjs has built them: that
 * takes a second of processor time less for each file, and for each process that it starts.
 */
const PRODUCT: Found = process.env["OJM_BUILT"] === undefined ? SOURCES : found([], "node");

/** A project of this name, which finds the packages in this way. */
function project(name: string, { execArgv, ...found }: Found, test: ProjectOptions): TestProjectConfiguration {
  return { extends: true, ...found, test: { name, execArgv, ...test } };
}

const pathOf = ({ moduleId }: TestSpecification): string => relative(import.meta.dirname, moduleId);

/**
 * Begins with the files that take longest, so that none is left alone at the end. A fresh clone knows no
 * times: a table has those of the slow files. The files that share processes follow, group by group: a worker
 * ends its process if the next file in the queue belongs to another group.
 */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const times = testTimes()[process.env["OJM_PART"] === "rest" ? "rest" : "quick"];
    const turn = ({ project }: TestSpecification): number => (project.config.isolate ? 0 : 1);
    const seconds = (file: TestSpecification): number => times[pathOf(file)] ?? 0;
    const group = ({ project }: TestSpecification): string => (project.config.isolate ? "" : project.name);
    const sorted = await super.sort(files);
    return sorted.toSorted(
      (one, other) =>
        turn(one) - turn(other) || group(one).localeCompare(group(other)) || seconds(other) - seconds(one),
    );
  }

  override async shard(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { index = 1, count = 1 } = this.ctx.config.shard ?? {};
    const mine = new Set(shards(count)[index - 1]?.files);
    return files.filter((file) => mine.has(pathOf(file)));
  }
}

/** The files of packages that share no process. */
const alone: string = `**/{${ALONE.join(",")}}.test.ts`;

/** Files whose tests are all left out are not even loaded. scripts/test.mjs sets the part. */
const leftOut: string[] = process.env["OJM_PART"] === "quick" ? leftWhole() : [];

/** Node loads what was built, as for users, and not the test runner. */
const BUILT: ProjectOptions = { server: { deps: { external: [/\/packages\/[^/]+\/dist\//] } } };

/**
 * Files that share processes. To start one for each file, and to load the packages in it, took a third of the
 * processor time of all their tests.
 */
const SHARED: ProjectOptions = { isolate: false, setupFiles: ["./test/setup-sharing.ts"] };

const config: ViteUserConfig = defineConfig({
  test: {
    projects: [
      project("product", PRODUCT, {
        include: ["test/**/*.test.ts"],
        exclude: ["**/node_modules/**", ...leftOut],
        ...BUILT,
      }),
      project("alone", SOURCES, {
        // Processes load the backend of an example, which is TypeScript: built programs cannot.
        include: [`packages/!(openaf)/src/${alone}`, "examples/**/*.test.ts"],
        exclude: ["**/node_modules/**", ...leftOut],
      }),
      project("pages", PRODUCT, {
        include: ["packages/{ui/test,openaf/src}/**/*.test.ts"],
        exclude: ["**/node_modules/**", ...leftOut],
        ...SHARED,
        ...BUILT,
      }),
      project("packages", SOURCES, {
        include: ["packages/!(openaf)/src/**/*.test.ts"],
        exclude: [alone, "**/node_modules/**", ...leftOut],
        ...SHARED,
      }),
    ],
    tags: [{ name: "full", description: "left by `npm test` to `npm run test:all`: other stores, full sizes" }],
    pool: "forks",
    experimental: { fsModuleCache: true },
    setupFiles: ["./test/setup.ts"],
    // More than the smallest machine has processors: files wait for leases, servers and processes. Whole
    // simulations and what else `npm test` leaves out compute more, and the checks run beside them.
    maxWorkers: process.env["OJM_PART"] === "quick" ? 6 : 4,
    sequence: { sequencer: LongestFirst },
    // For tests that hang. A machine that stalls for a minute is no failure.
    testTimeout: 240_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 120_000 } },
    restoreMocks: true,
  },
});
export default config;
