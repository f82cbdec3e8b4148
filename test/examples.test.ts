import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { etcdMissing, startEtcd } from "@ojm/testing/etcd";
import { temporaryFolder } from "@ojm/testing/folder";
import { postgresMissing, startPostgres } from "@ojm/testing/postgres";
import { startRedis, whyMissing } from "@ojm/testing/redis";
import { describe, expect, it, onTestFinished } from "vitest";
import { Ojm } from "../packages/cli/src/testing/ojm.js";

const EXAMPLES = fileURLToPath(new URL("../examples/", import.meta.url));

interface Example {
  readonly file: string;
  readonly missing?: string | undefined;
  /**
   * Starts the server that the example expects. Resolves to the address in the example, and the real address
   * of the server.
   */
  server?(): Promise<readonly [expected: string, actual: string]>;
}

const quickStarts: readonly Example[] = [
  { file: "quick-start.yaml" },
  { file: "init/memory.yaml" },
  { file: "init/level.yaml" },
  { file: "init/sqlite.yaml" },
  {
    file: "init/redis.yaml",
    missing: whyMissing("redis-server"),
    async server() {
      const server = await startRedis();
      onTestFinished(() => server.stop());
      return ["redis://127.0.0.1:6379", server.url];
    },
  },
  {
    file: "init/etcd.yaml",
    missing: etcdMissing(),
    async server() {
      const server = await startEtcd();
      onTestFinished(() => server.stop());
      return ["127.0.0.1:2379", server.host];
    },
  },
  {
    file: "init/postgres.yaml",
    missing: postgresMissing(),
    async server() {
      const server = await startPostgres();
      onTestFinished(() => server.stop());
      return ["postgres://postgres@127.0.0.1:5432/postgres", server.url];
    },
  },
];

describe("the quick start", () => {
  const example = (file: string): string => readFileSync(join(EXAMPLES, file), "utf8");

  it("there is an Init for every store that is tested here, and for no other", () => {
    const files = ["quick-start.yaml", ...readdirSync(join(EXAMPLES, "init")).map((name) => `init/${name}`)];
    expect(files.sort()).toEqual(quickStarts.map(({ file }) => file).sort());
  });

  for (const { file, missing, server } of quickStarts) {
    const tags = /memory|level/.test(file) ? ["full"] : [];
    it.skipIf(missing !== undefined)(
      `the quick start runs by ${file}${missing ? `: ${missing}` : ""}`,
      { tags },
      async () => {
        const text = example(file);
        const [expected, actual] = (await server?.()) ?? ["", ""];
        const there = text.replaceAll(expected, actual);
        if (actual !== "") expect(there).not.toBe(text);
        const folder = temporaryFolder();
        mkdirSync(join(folder, "init"));
        writeFileSync(join(folder, "quick-start.yaml"), example("quick-start.yaml"));
        writeFileSync(join(folder, file), there);
        for (const run of [1, 2]) {
          const { code, out, err } = await new Ojm(folder, ["run", file]).ended;
          expect([run, code, err]).toEqual([run, 0, expect.not.stringContaining("ERROR")]);
          expect(out).toContain("Counted 112 stars.");
        }
        // Its own store replaces that of the quick start.
        const places: Readonly<Record<string, readonly string[]>> = {
          sqlite: ["quick-start.db"],
          level: ["quick-start"],
        };
        const [, type = ""] = /chJobs: \{ type: (\w+)/.exec(text) ?? [];
        const data = readdirSync(folder).includes("data") ? readdirSync(join(folder, "data")) : [];
        expect(data.filter((name) => !name.includes("-wal") && !name.includes("-shm"))).toEqual(places[type] ?? []);
      },
    );
  }
});
