import { createRequire } from "node:module";
import { ChannelError } from "@ojm/core/backend";
import type Database from "better-sqlite3";
import { codeOf } from "./errors.js";

/** Loads a module, as seen from this package. */
export type Load = (name: string) => unknown;

type Driver = typeof Database;

const loadFromHere: Load = createRequire(import.meta.url);

/** The package that wraps better-sqlite3 12, the last release for Node 20. */
const FOR_NODE_20 = "@ojm/sqlite-node20";

/** Node 22 and later load better-sqlite3 13. Node 20 crashes in that; recent Nodes abort in 12. */
const FIRST_NODE_OF_13 = 22;

/**
 * The driver that fits this Node, chosen by version: loading one that does not fit ends the process.
 *
 * @throws ChannelError `UNKNOWN_TYPE` if the driver for this Node is not installed
 */
export function loadDriver(load: Load = loadFromHere, node: string = process.versions.node): Driver {
  if (Number.parseInt(node, 10) < FIRST_NODE_OF_13) return found(load, FOR_NODE_20, node) as Driver;
  const manifest = found(load, "better-sqlite3/package.json", node) as { version: string };
  if (Number.parseInt(manifest.version, 10) >= 13) return load("better-sqlite3") as Driver;
  throw notInstalled(node, `better-sqlite3 ${manifest.version} is installed, which aborts on this Node`);
}

function found(load: Load, name: string, node: string): unknown {
  try {
    return load(name);
  } catch (error) {
    if (codeOf(error) !== "MODULE_NOT_FOUND") throw error;
    throw notInstalled(node, `${name.split("/package")[0]} is missing`, error);
  }
}

/**
 * The error for a missing driver. An installation by another Node version leaves out the driver of this one.
 * On Node 20 its addon may also have failed to compile: package managers then leave out an optional
 * dependency without a message.
 */
function notInstalled(node: string, why: string, cause?: unknown): ChannelError {
  const what = `the SQLite driver for Node v${node} is not installed (${why})`;
  const remedy = "Delete node_modules and install the dependencies again, with this Node and without --omit=optional";
  const compiler = ". If no prebuilt addon can be downloaded, that needs python3, make and a C++ compiler";
  const needs = Number.parseInt(node, 10) < FIRST_NODE_OF_13 ? compiler : "";
  return new ChannelError("UNKNOWN_TYPE", `${what}. ${remedy}${needs}`, { cause });
}

/**
 * Opens a SQLite file with the driver that fits this Node.
 *
 * @throws ChannelError `UNKNOWN_TYPE` or `FAILED` if this Node cannot load a driver; and what the driver
 * throws
 */
export function openFile(file: string, load: Load = loadFromHere): Database.Database {
  // Set no busy_timeout: `patiently` waits for other processes without blocking the event loop.
  const options = { timeout: 0 };
  const driver = loadDriver(load);
  const nativeBinding = addon(driver);
  try {
    return new driver(file, nativeBinding === undefined ? options : { ...options, nativeBinding });
  } catch (error) {
    throw codeOf(error).startsWith("SQLITE") ? error : withoutAddon(error);
  }
}

/** The path of the native part. Release 12 would try a dozen places; its wrapper names the right one. */
function addon(driver: Driver & { addon?: () => string }): string | undefined {
  try {
    // The driver accepts the module itself as well as its path. Its types have only the path.
    return driver.addon?.();
  } catch {
    return undefined;
  }
}

/** The native part is missing: release 12 without its install script, 13 on a rare platform. */
function withoutAddon(cause: unknown): ChannelError {
  const [why] = (cause instanceof Error ? cause.message : String(cause)).split("\n", 1);
  const what = `the native part of SQLite's driver cannot be loaded by Node ${process.version} on ${process.platform}-${process.arch}`;
  const remedy = "npm rebuild better-sqlite3 --ignore-scripts=false, or pnpm approve-builds better-sqlite3";
  return new ChannelError("FAILED", `${what}. Build it: ${remedy} (${why})`, { cause });
}
