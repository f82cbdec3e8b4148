import { createRequire } from "node:module";
import { ChannelError } from "@ojm/core/backend";
import Database from "better-sqlite3";
import { codeOf } from "./errors.js";

const loadFromHere = createRequire(import.meta.url);

/**
 * Opens a SQLite file with the driver. Where its native part is, the driver finds out by trying a dozen places, at every start; this
 * looks first where it is. If it is not there, the driver as installed looks for it.
 *
 * @throws ChannelError `FAILED` if there is none that this Node can load; and what the driver throws
 */
export function openFile(file: string, load: (name: string) => unknown = loadFromHere): Database.Database {
  // No busy_timeout: who is in the way is waited for without blocking the event loop, see `patiently`.
  const options = { timeout: 0 };
  const nativeBinding = addon(load);
  if (nativeBinding !== undefined) return new Database(file, { ...options, nativeBinding });
  try {
    return new (load("better-sqlite3") as typeof Database)(file, options);
  } catch (error) {
    throw codeOf(error).startsWith("SQLITE") ? error : withoutAddon(error);
  }
}

function addon(load: (name: string) => unknown): string | undefined {
  try {
    // The driver takes the module itself as well as a path to it; its types know of the path only.
    return load("better-sqlite3/build/Release/better_sqlite3.node") as string;
  } catch {
    return undefined;
  }
}

/** Installed without its scripts, or for another version of Node, the driver is there and its native part is not. */
function withoutAddon(cause: unknown): ChannelError {
  const [why] = (cause instanceof Error ? cause.message : String(cause)).split("\n", 1);
  return new ChannelError(
    "FAILED",
    `the native part of SQLite's driver cannot be loaded by Node ${process.version}: npm rebuild better-sqlite3, with install scripts allowed (${why})`,
    { cause },
  );
}
