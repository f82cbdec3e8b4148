import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { Ojm } from "../packages/cli/src/testing/ojm.js";
import { etcdMissing, startEtcd } from "../packages/etcd/src/testing/servers.js";
import { startRedis, whyMissing } from "../packages/redis/src/testing/servers.js";
import { temporaryFolder } from "./support/processes.js";

const EXAMPLES = fileURLToPath(new URL("../examples/", import.meta.url));

interface Example {
  readonly file: string;
  readonly missing?: string | undefined;
  /**
   * Starts the server that the example expects. Resolves to the address that it names, and where the server
   * is.
   */
  server?(): Promise<readonly [expected: string, actual: string]>;
}

const quickStarts: readonly Example[] = [
  { file: "quick-start.yaml" },
  { file: "quick-start-simple.yaml" },
  { file: "quick-start-level.yaml" },
  {
    file: "quick-start-redis.yaml",
    missing: whyMissing("redis-server"),
    async server() {
      const server = await startRedis();
      onTestFinished(() => server.stop());
      return ["redis://127.0.0.1:6379", server.url];
    },
  },
  {
    file: "quick-start-etcd.yaml",
    missing: etcdMissing(),
    async server() {
      const server = await startEtcd();
      onTestFinished(() => server.stop());
      return ["127.0.0.1:2379", server.host];
    },
  },
];

/** The file without its comments and the two lines that name the store. */
function apartFromStore(text: string): string[] {
  return text.split("\n").filter((line) => !/^ *(#|chJobs:|chLocks:)/.test(line));
}

describe("the quick start", () => {
  const original = readFileSync(join(EXAMPLES, "quick-start.yaml"), "utf8");

  it("a quick start is there for every store that is tested here, and for no other", () => {
    const there = readdirSync(EXAMPLES).filter((name) => name.startsWith("quick-start"));
    expect(there.sort()).toEqual(quickStarts.map(({ file }) => file).sort());
  });

  for (const { file, missing, server } of quickStarts) {
    it.skipIf(missing !== undefined)(
      `the quick start ${file} differs in its store alone, and runs${missing ? `: ${missing}` : ""}`,
      async () => {
        const text = readFileSync(join(EXAMPLES, file), "utf8");
        expect(apartFromStore(text)).toEqual(apartFromStore(original));
        const [expected, actual] = (await server?.()) ?? ["", ""];
        const there = text.replaceAll(expected, actual);
        if (actual !== "") expect(there).not.toBe(text);
        const folder = temporaryFolder();
        writeFileSync(join(folder, "jobs.yaml"), there);
        for (const run of [1, 2]) {
          const { code, out, err } = await new Ojm(folder, ["run", "jobs.yaml"]).ended;
          expect([run, code, err]).toEqual([run, 0, expect.not.stringContaining("ERROR")]);
          expect(out).toContain("Counted 112 stars.");
        }
      },
    );
  }
});
