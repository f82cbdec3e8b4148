import { execFileSync, spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { etcdMissing, startEtcd } from "@ojm/testing/etcd";
import { startRedis, whyMissing } from "@ojm/testing/redis";
import { Database } from "../../packages/sqlite/src/testing/driver.js";
import type { HistoryPlace } from "../support/history.js";

/** The kinds of stores that a release leaves behind. */
export type KindOfStore = "sqlite" | "level" | "redis" | "etcd";

/** A store of a test, in a folder or a server of its own. */
export interface OwnStore extends Omit<HistoryPlace, "prefix"> {
  /** Copies its content to a file or a folder, while it is in use. */
  save(path: string): Promise<void>;
  stop(): Promise<void>;
}

interface Kind {
  /** The name of its file or folder among the golden stores. */
  readonly saved: string;
  /** Why this machine cannot open one, if so. */
  readonly missing?: string | undefined;
  /** Opens an empty store, or a copy of a saved one. `env`: the environment of its server. */
  open(saved?: string, env?: Readonly<Record<string, string>>): Promise<OwnStore>;
}

function inFolder(type: "sqlite" | "level", field: string, save: (from: string, to: string) => Promise<void>) {
  return async (saved?: string): Promise<OwnStore> => {
    const folder = mkdtempSync(join(tmpdir(), "ojm-golden-"));
    const path = join(folder, "store");
    if (saved !== undefined) cpSync(saved, path, { recursive: true });
    return {
      store: { type, args: { [field]: path } },
      text: `${type}:${path}`,
      save: (to) => save(path, to),
      stop: async () => rmSync(folder, { recursive: true, force: true }),
    };
  };
}

export const KINDS: Readonly<Record<KindOfStore, Kind>> = {
  sqlite: {
    saved: "sqlite.db",
    open: inFolder("sqlite", "file", async (from, to) => {
      const db = new Database(from, { readonly: true });
      await db.backup(to);
      db.close();
    }),
  },
  level: {
    saved: "level",
    // Like the folder of a process that was killed. LevelDB writes these again.
    open: inFolder("level", "path", async (from, to) =>
      cpSync(from, to, { recursive: true, filter: (path) => !["LOCK", "LOG", "LOG.old"].includes(basename(path)) }),
    ),
  },
  redis: {
    saved: "redis.rdb",
    missing: whyMissing("redis-server") ?? tooOldRedis(),
    async open(dump, env) {
      const server = await startRedis({ ...(dump !== undefined && { dump }), ...(env !== undefined && { env }) });
      return {
        store: { type: "redis", args: { url: server.url } },
        text: server.url,
        async save(to) {
          await server.command("SAVE");
          copyFileSync(join(server.folder, "dump.rdb"), to);
        },
        stop: () => server.stop(),
      };
    },
  },
  etcd: {
    saved: "etcd.snapshot",
    missing: etcdMissing() ?? etcdutlMissing(),
    async open(snapshot) {
      const server = await startEtcd({ ...(snapshot !== undefined && { snapshot }) });
      return {
        store: { type: "etcd", args: { hosts: server.host } },
        text: `etcd://${server.host}`,
        save: async (to) =>
          void execFileSync("etcdctl", ["--endpoints", server.host, "snapshot", "save", to], { stdio: "ignore" }),
        stop: () => server.stop(),
      };
    },
  },
};

/** An older Redis does not load the dump of a newer one. Redis 8 wrote the first dumps. */
function tooOldRedis(): string | undefined {
  const { stdout } = spawnSync("redis-server", ["--version"], { encoding: "utf8" });
  const [, major] = /v=(\d+)/.exec(stdout) ?? [];
  return Number(major) >= 8 ? undefined : `the dumps need Redis 8, and this is ${stdout.trim()}`;
}

function etcdutlMissing(): string | undefined {
  const { error } = spawnSync("etcdutl", ["version"], { stdio: "ignore" });
  return error === undefined ? undefined : "etcdutl is not installed: apt-get install etcd-client";
}

/** Compresses a file, or each file of a folder, to the same name with `.gz`. */
export function pack(from: string, to: string): void {
  for (const file of filesOf(from)) write(`${to}${file}.gz`, gzipSync(readFileSync(from + file), { level: 9 }));
}

/** Restores the file or the folder that {@link pack} compressed. */
export function unpack(from: string, to: string): void {
  for (const file of existsSync(from) ? filesOf(from) : [".gz"])
    write((to + file).replace(/\.gz$/, ""), gunzipSync(readFileSync(from + file)));
}

/** What to append to a path for each of its files: nothing if it is a file. */
function filesOf(path: string): string[] {
  return statSync(path).isDirectory() ? readdirSync(path).map((name) => `/${name}`) : [""];
}

function write(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}
