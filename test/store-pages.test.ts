import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openJobManager } from "@ojm/core";
import type { BackendType } from "@ojm/core/backend";
import { backend as etcd } from "@ojm/etcd";
import { backend as level } from "@ojm/level";
import { backend as postgres } from "@ojm/postgres";
import { backend as redis } from "@ojm/redis";
import { backend as simple } from "@ojm/simple";
import { backend as sqlite } from "@ojm/sqlite";
import { etcdMissing, startEtcd } from "@ojm/testing/etcd";
import { temporaryFolder } from "@ojm/testing/folder";
import { postgresMissing, startPostgres } from "@ojm/testing/postgres";
import { startRedis, whyMissing } from "@ojm/testing/redis";
import { describe, expect, it, onTestFinished } from "vitest";

/* The pages of the stores have the options and the limits of the code. */

const FOLDER = fileURLToPath(new URL("../docs/reference/stores/", import.meta.url));
const read = (page: string): string => readFileSync(join(FOLDER, page), "utf8");

/** The text of the section of a page. */
function section(page: string, heading: string): string {
  const [, text = ""] = read(page).split(new RegExp(`^## ${heading}$`, "m"));
  return text.split(/^##+ /m)[0] ?? "";
}

/** The cells of the rows of a text. */
function rowsOf(text: string): string[][] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) => line.split("|").slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()));
}

const namesIn = (text: string): string[] => [...text.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name);

/** How many bytes a size such as `8 KiB` has. */
function bytes(size = ""): number {
  const [, count, unit = ""] = /^(\d+) ([KM]iB)$/.exec(size) ?? [];
  return Number(count) * (unit === "KiB" ? 1_024 : 1_024 ** 2);
}

interface Store {
  readonly type: BackendType;
  readonly missing?: string | undefined;
  /** The text of an empty store. */
  text(): Promise<string>;
}

const STORES: Readonly<Record<string, Store>> = {
  sqlite: { type: sqlite, text: async () => `sqlite:${join(temporaryFolder(), "ojm.db")}` },
  redis: {
    type: redis,
    missing: whyMissing("redis-server"),
    async text() {
      const server = await startRedis();
      onTestFinished(() => server.stop());
      return server.url;
    },
  },
  etcd: {
    type: etcd,
    missing: etcdMissing(),
    async text() {
      const server = await startEtcd();
      onTestFinished(() => server.stop());
      return `etcd://${server.host}`;
    },
  },
  postgres: {
    type: postgres,
    missing: postgresMissing(),
    async text() {
      const server = await startPostgres();
      onTestFinished(() => server.stop());
      return server.url;
    },
  },
  level: { type: level, text: async () => `level:${join(temporaryFolder(), "data")}` },
  simple: { type: simple, text: async () => "memory:" },
};

describe.each(Object.entries(STORES))("the page of the store %s", (name, { type, missing, text }) => {
  it(`every option of the store ${name} is in the table of its page`, () => {
    const options = type.options ?? [];
    const table = section(`${name}.md`, "Options");
    const first = rowsOf(table).map(([cell = ""]) => namesIn(cell));
    const documented = namesIn(table);
    expect(options.filter((option) => !documented.includes(option))).toEqual([]);
    expect(first.flat().filter((option) => !options.includes(option))).toEqual([]);
  });

  it.skipIf(missing !== undefined)(`the limits of the store ${name} are those of the table`, async () => {
    await using manager = await openJobManager(await text());
    const { maxOps, maxKeyBytes, maxValueBytes } = manager.channels.jobs.supports;
    const [head = [], ...rows] = rowsOf(section("README.md", "Limits"));
    const column = head.indexOf(`\`${name}\``);
    const [ops = "", key, value] = rows.map((row) => row[column]);
    expect([Number(ops.replace(",", "")), bytes(key), bytes(value)]).toEqual([maxOps, maxKeyBytes, maxValueBytes]);
  });
});
