import { readdirSync } from "node:fs";
import { join } from "node:path";
import { openJobManager } from "@ojm/core";
import { etcdMissing, startEtcd } from "@ojm/testing/etcd";
import { temporaryFolder } from "@ojm/testing/folder";
import { postgresMissing, startPostgres } from "@ojm/testing/postgres";
import { startRedis, whyMissing } from "@ojm/testing/redis";
import { expect, onTestFinished, test, vi } from "vitest";
import { Ojm } from "../packages/cli/src/testing/ojm.js";
import { storeAddress } from "../packages/core/src/channel/store-text.js";

/** The text of an empty store. */
const TEXTS: readonly { readonly store: string; readonly missing?: string | undefined; text(): Promise<string> }[] = [
  { store: "sqlite", text: async () => `sqlite:${join(temporaryFolder(), "data", "ojm.db")}` },
  { store: "level", text: async () => `level:${join(temporaryFolder(), "data")}` },
  {
    store: "redis",
    missing: whyMissing("redis-server"),
    async text() {
      const server = await startRedis();
      onTestFinished(() => server.stop());
      return server.url;
    },
  },
  {
    store: "etcd",
    missing: etcdMissing(),
    async text() {
      const server = await startEtcd();
      onTestFinished(() => server.stop());
      return `etcd://${server.host}/team/`;
    },
  },
  {
    store: "postgres",
    missing: postgresMissing(),
    async text() {
      const server = await startPostgres();
      onTestFinished(() => server.stop());
      return server.url;
    },
  },
  { store: "memory", text: async () => "memory:" },
];

for (const { store, missing, text } of TEXTS)
  test.skipIf(missing !== undefined)(`a manager is opened by the text of a store: ${store}`, async () => {
    const written = await text();
    {
      await using jobs = await openJobManager(written);
      expect((await jobs.run("a", () => 5)).result).toBe(5);
      const { locator } = jobs.channels.jobs;
      const address = locator && storeAddress({ type: locator.kind, args: locator.args });
      // A user alone may be a password.
      const shown = written.replace("ojm@", "***@");
      expect(address).toBe(store === "level" || store === "memory" ? undefined : shown);
    }
    await using again = await openJobManager(written, { ttl: "20s" });
    const { value } = await again.history({ name: "a" }).next();
    expect(value).toMatchObject({ name: "a", status: "completed", result: 5 });
    if (store === "memory") return;
    await again.close();
    // The command line has the same texts.
    const { code, out } = await new Ojm(temporaryFolder(), ["runs", "--json", "--store", written]).ended;
    expect([code, JSON.parse(out)]).toMatchObject([0, [{ name: "a", status: "completed" }]]);
  });

test("a relative path in the text of a store begins at the working folder", async () => {
  const folder = temporaryFolder();
  vi.spyOn(process, "cwd").mockReturnValue(folder);
  await using jobs = await openJobManager("sqlite:./data/ojm.db");
  await jobs.run("a", () => {});
  expect(readdirSync(join(folder, "data"))).toContain("ojm.db");
});
