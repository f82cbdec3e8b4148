import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Heal } from "../faults/heal.js";
import { fill } from "./disk.js";
import type { StoreKind } from "./store.js";

const require = createRequire(import.meta.url);

/** In memory: only one process can open it, and no data outlives that process. */
export const simple: StoreKind = {
  name: "simple",
  type: "simple",
  apart: false,
  networked: false,
  byWallClock: false,
  shared: false,
  lasting: false,
  outgrowsLoss: false,
  missing: undefined,
  version: () => `Node ${process.version}`,
  async start() {
    return { args: () => ({}), directArgs: {}, stop: async () => {} };
  },
};

export const level: StoreKind = {
  name: "level",
  type: "level",
  apart: false,
  networked: false,
  byWallClock: false,
  shared: false,
  lasting: true,
  outgrowsLoss: false,
  missing: undefined,
  version: () => packageVersion(["@ojm/level", "level"], "classic-level"),
  async start({ folder, smallDisk }) {
    const args = { path: join(folder, "level") };
    return {
      args: () => args,
      directArgs: args,
      stop: async () => {},
      ...(smallDisk && { fillDisk: async () => fill(folder) }),
    };
  },
};

export const sqlite: StoreKind = {
  name: "sqlite",
  type: "sqlite",
  apart: false,
  networked: false,
  byWallClock: false,
  shared: true,
  lasting: true,
  outgrowsLoss: false,
  missing: undefined,
  version: () => packageVersion(sqliteDriver, "better-sqlite3"),
  async start({ folder, smallDisk }) {
    const file = join(folder, "torture.db");
    return {
      args: () => ({ file }),
      directArgs: { file },
      freeze: () => lockFile(file),
      stop: async () => {},
      ...(smallDisk && { fillDisk: async () => fill(folder) }),
    };
  },
};

/** The packages through which this version of Node resolves its SQLite driver. */
const sqliteDriver =
  Number.parseInt(process.versions.node, 10) < 22 ? ["@ojm/sqlite", "@ojm/sqlite-node20"] : ["@ojm/sqlite"];

/** The `require` of the last package in a chain of dependencies. */
function requireOf(chain: readonly string[]): NodeJS.Require {
  return chain.reduce((from, name) => createRequire(from.resolve(`${name}/package.json`)), require);
}

function packageVersion(owners: readonly string[], name: string): string {
  return `${name} ${requireOf(owners)(`${name}/package.json`).version}`;
}

/**
 * SQLite has no server to freeze. A foreign process that holds the write lock has the same effect: no other
 * process can write.
 */
export async function lockFile(file: string): Promise<Heal> {
  const path = requireOf(sqliteDriver).resolve("better-sqlite3");
  const code = `const db = new (require(${JSON.stringify(path)}))(${JSON.stringify(file)}, { timeout: 20000 });
db.exec("BEGIN IMMEDIATE"); process.send("locked"); process.on("message", () => { db.exec("ROLLBACK"); db.close(); process.disconnect(); });`;
  const child = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const exited = once(child, "exit");
  await once(child, "message");
  return async () => {
    child.send("give it back");
    await exited;
  };
}
