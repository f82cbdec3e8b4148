import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobManagerOptions } from "@ojm/core";
import { etcdMissing, startEtcd } from "@ojm/testing/etcd";
import { postgresMissing, postgresVersion, startPostgres } from "@ojm/testing/postgres";
import { startRedis, whyMissing } from "@ojm/testing/redis";
import { rivalVersions } from "./rivals.js";
import { versionOf } from "./versions.js";

/** A store that is ready to be measured. */
export interface OpenStore {
  /** The options with which our manager opens it. */
  readonly options: JobManagerOptions;
  /** Where a contestant finds the store: a URL, `host:port`, or a path of its own. */
  addressOf(contestant: string): string;
  /** The processes of the server that the benchmark started. */
  readonly servers: readonly number[];
  /** The port of the server, if there is one. */
  readonly port?: number;
  close(): Promise<void>;
}

/** A store of the benchmark. */
export interface Store {
  readonly name: string;
  /** The faults that an acknowledged run survives, on both sides of a ratio. */
  readonly durability: string;
  /** Whether it is measured through a slow network too. */
  readonly overNetwork?: boolean;
  /** Why this machine cannot measure it, if so. */
  missing(): string | undefined;
  /** The versions of the server and of the driver. */
  version(): string;
  options(address: string): JobManagerOptions;
  /** `isCounting`: PostgreSQL counts its statements, which takes time. */
  open(isCounting?: boolean): Promise<OpenStore>;
}

const NOTHING = "nothing: it is in the memory of the process";
const MEMORY = "the death of its process, not of the server, which keeps nothing on the disk";
const KILL = "the death of any process, not a power cut";

function one(type: string, args: Readonly<Record<string, unknown>>): JobManagerOptions {
  return { chJobs: { type, args }, chLocks: { type, args } };
}

const ofPackage = (name: string): string => createRequire(import.meta.url).resolve(`${name}/package.json`);

function said(command: string, pattern: RegExp): string {
  return pattern.exec(execFileSync(command, ["--version"], { encoding: "utf8" }))?.[1] ?? "unknown";
}

function inFolder(name: string, durability: string, argument: "path" | "file", version: () => string): Store {
  const options = (address: string): JobManagerOptions => one(name, { [argument]: address });
  return {
    name,
    durability,
    missing: () => undefined,
    version,
    options,
    async open() {
      const folder = mkdtempSync(join(tmpdir(), "ojm-bench-"));
      return {
        options: options(join(folder, "ojm")),
        addressOf: (contestant) => join(folder, contestant),
        servers: [],
        close: async () => rmSync(folder, { recursive: true, force: true }),
      };
    },
  };
}

const simple: Store = {
  name: "simple",
  durability: NOTHING,
  missing: () => undefined,
  version: () => "",
  options: () => ({}),
  open: async () => ({ options: {}, addressOf: () => "", servers: [], close: async () => {} }),
};

const redis: Store = {
  name: "redis",
  overNetwork: true,
  durability: MEMORY,
  missing: () => whyMissing("redis-server"),
  version: () =>
    [
      `Redis ${said("redis-server", /v=(\S+)/)}`,
      versionOf("ioredis"),
      ...rivalVersions("redlock", "redis-semaphore", "bullmq"),
    ].join(", "),
  options: (url) => one("redis", { url }),
  async open() {
    const server = await startRedis();
    const info = String(await server.command("INFO", "server"));
    return {
      options: one("redis", { url: server.url }),
      addressOf: () => server.url,
      servers: [Number(/^process_id:(\d+)/m.exec(info)?.[1])],
      port: server.port,
      close: () => server.stop(),
    };
  },
};

const etcd: Store = {
  name: "etcd",
  overNetwork: true,
  durability: `${KILL} (--unsafe-no-fsync)`,
  missing: etcdMissing,
  version: () => `etcd ${said("etcd", /etcd Version: (\S+)/)}, ${versionOf("etcd3")}`,
  options: (hosts) => one("etcd", { hosts }),
  async open() {
    const server = await startEtcd();
    return {
      options: one("etcd", { hosts: server.host }),
      addressOf: () => server.host,
      servers: server.pid === undefined ? [] : [server.pid],
      port: Number(server.host.split(":")[1]),
      close: () => server.stop(),
    };
  },
};

const postgres: Store = {
  name: "postgres",
  durability: "a power cut",
  missing: postgresMissing,
  version: () =>
    [`PostgreSQL ${postgresVersion()}`, versionOf("pg"), ...rivalVersions("pg-boss", "graphile-worker", "bullmq")].join(
      ", ",
    ),
  options: (url) => one("postgres", { url }),
  async open(isCounting = false) {
    // An acknowledged commit is on the disk. Thousands of sessions have a connection each.
    const settings = ["fsync=on", "synchronous_commit=on", "max_connections=2500"];
    if (isCounting) settings.push("shared_preload_libraries=pg_stat_statements");
    const server = await startPostgres({ settings });
    if (isCounting) await server.sql("CREATE EXTENSION pg_stat_statements");
    return {
      options: one("postgres", { url: server.url }),
      addressOf: () => server.url,
      servers: [server.pid],
      port: server.port,
      close: () => server.stop(),
    };
  },
};

/** On Node 20 `@ojm/sqlite` has the driver from a package in between. */
function sqliteVersion(): string {
  const ours = ofPackage("@ojm/sqlite");
  const old = Number.parseInt(process.versions.node, 10) < 22;
  return versionOf("better-sqlite3", old ? createRequire(ours).resolve("@ojm/sqlite-node20/package.json") : ours);
}

/** The stores, each with the driver that its backend uses. All contestants share one server. */
export const stores: readonly Store[] = [
  simple,
  inFolder("level", "a power cut", "path", () => versionOf("classic-level", ofPackage("level"))),
  inFolder("sqlite", KILL, "file", sqliteVersion),
  redis,
  etcd,
  postgres,
];
