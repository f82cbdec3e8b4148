import { join } from "node:path";
import type { JobManagerOptions } from "@ojm/core";
import { etcdMissing, startEtcd } from "@ojm/testing/etcd";
import { temporaryFolder } from "@ojm/testing/folder";
import { startRedis, whyMissing } from "@ojm/testing/redis";
import { describe, it, onTestFinished } from "vitest";

/**
 * Creates an empty store. Resolves to the options of a manager for it. The store is removed when the test is
 * over.
 */
type CreateStore = () => Promise<JobManagerOptions>;

interface SharedStore {
  readonly name: string;
  /** Why this machine cannot run it, if so. */
  readonly missing?: string | undefined;
  readonly create: CreateStore;
  /** Whether `npm test` leaves it to `npm run test:all`. */
  readonly full?: boolean;
}

/**
 * The deadline of a call, in ms. It is generous: a test on a machine that stalls is not about how soon a
 * server answers.
 */
const DEADLINE = 30_000;

/** The stores that several processes of one host can share. Each test gets a server of its own. */
const sharedStores: readonly SharedStore[] = [
  {
    name: "sqlite, one file",
    async create() {
      const channel = { type: "sqlite", args: { file: join(temporaryFolder(), "ojm.db") } };
      return { chJobs: channel, chLocks: channel };
    },
  },
  {
    name: "sqlite, two files",
    full: true,
    async create() {
      const folder = temporaryFolder();
      return {
        chJobs: { type: "db", args: { file: join(folder, "jobs.db") } },
        chLocks: { type: "db", args: { file: join(folder, "locks.db") } },
      };
    },
  },
  {
    name: "redis",
    missing: whyMissing("redis-server"),
    async create() {
      const server = await startRedis();
      onTestFinished(() => server.stop());
      const channel = { type: "redis", args: { url: server.url, deadline: DEADLINE } };
      return { chJobs: channel, chLocks: channel };
    },
  },
  {
    name: "etcd",
    full: true,
    missing: etcdMissing(),
    async create() {
      const server = await startEtcd();
      onTestFinished(() => server.stop());
      const channel = { type: "etcd", args: { hosts: server.host, deadline: DEADLINE } };
      return { chJobs: channel, chLocks: channel };
    },
  },
];

/** Declares tests on each of the stores that several processes can share, or on those with these names. */
export function onSharedStores(tests: (create: CreateStore) => void, only?: readonly string[]): void {
  for (const { name, missing, create, full = false } of sharedStores) {
    if (only?.includes(name) === false) continue;
    if (missing === undefined) describe(`on ${name}`, { tags: full ? ["full"] : [] }, () => tests(create));
    else it.skip(`on ${name}: ${missing}`, () => {});
  }
}
