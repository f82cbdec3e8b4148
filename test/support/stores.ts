import { join } from "node:path";
import type { JobManagerOptions } from "@ojm/core";
import { etcdMissing, startEtcd } from "@ojm/testing/etcd";
import { temporaryFolder } from "@ojm/testing/folder";
import { startRedis, whyMissing } from "@ojm/testing/redis";
import { describe, it, onTestFinished } from "vitest";
import type { WhenOver } from "./processes.js";

/**
 * Creates an empty store. Resolves to the options of a manager for it. The store is removed when the test is
 * over.
 */
export type CreateStore = (over?: WhenOver) => Promise<JobManagerOptions>;

interface SharedStore {
  readonly name: StoreName;
  /** Why this machine cannot run it, if so. */
  readonly missing?: string | undefined;
  readonly create: CreateStore;
}

/**
 * The deadline of a call, in ms. It is generous: a test on a stalling machine does not measure how soon a
 * server answers.
 */
const DEADLINE = 30_000;

/** The stores that several processes of one host can share. Each test gets a server of its own. */
const sharedStores: readonly SharedStore[] = [
  {
    name: "sqlite, one file",
    async create(over) {
      const channel = { type: "sqlite", args: { file: join(temporaryFolder(over), "ojm.db") } };
      return { chJobs: channel, chLocks: channel };
    },
  },
  {
    name: "sqlite, two files",
    async create(over) {
      const folder = temporaryFolder(over);
      return {
        chJobs: { type: "db", args: { file: join(folder, "jobs.db") } },
        chLocks: { type: "db", args: { file: join(folder, "locks.db") } },
      };
    },
  },
  {
    name: "redis",
    missing: whyMissing("redis-server"),
    async create(over = onTestFinished) {
      const server = await startRedis();
      over(() => server.stop());
      const channel = { type: "redis", args: { url: server.url, deadline: DEADLINE } };
      return { chJobs: channel, chLocks: channel };
    },
  },
  {
    name: "etcd",
    missing: etcdMissing(),
    async create(over = onTestFinished) {
      const server = await startEtcd();
      over(() => server.stop());
      const channel = { type: "etcd", args: { hosts: server.host, deadline: DEADLINE } };
      return { chJobs: channel, chLocks: channel };
    },
  },
];

type StoreName = "sqlite, one file" | "sqlite, two files" | "redis" | "etcd";

const FIRST: readonly StoreName[] = ["sqlite, one file", "redis"];

interface StoreOptions {
  /** Only these. Default: all. */
  readonly only?: readonly StoreName[];
  /**
   * The stores of `npm test`: a test that does not depend on the store needs only one. Default: sqlite and
   * redis.
   */
  readonly first?: readonly StoreName[];
  /** Runs the stores side by side, and the tests of each that are not `it.sequential`. Default: false. */
  readonly sideBySide?: boolean;
}

/** Declares tests on each of the stores that several processes can share. */
export function onSharedStores(
  { only, first = FIRST, sideBySide = false }: StoreOptions,
  tests: (create: CreateStore) => void,
): void {
  for (const { name, missing, create } of sharedStores) {
    if (only?.includes(name) === false) continue;
    const tags = first.includes(name) ? [] : ["full"];
    if (missing === undefined) describe(`on ${name}`, { tags, concurrent: sideBySide }, () => tests(create));
    else it.skip(`on ${name}: ${missing}`, () => {});
  }
}
