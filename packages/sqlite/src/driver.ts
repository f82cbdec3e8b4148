import { createRequire } from "node:module";
import Database from "better-sqlite3";

const load = createRequire(import.meta.url);

/**
 * Opens a SQLite file with the driver. Where its native part is, the driver finds out by trying a dozen places, at every start; this
 * looks first where it is. If it is not there, the driver as installed looks for it, and says what is wrong.
 */
export function openFile(file: string): Database.Database {
  // No busy_timeout: who is in the way is waited for without blocking the event loop, see `patiently`.
  const options = { timeout: 0 };
  const nativeBinding = addon();
  if (nativeBinding === undefined) return new (load("better-sqlite3") as typeof Database)(file, options);
  return new Database(file, { ...options, nativeBinding });
}

function addon(): string | undefined {
  try {
    // It takes the module itself as well as a path to it; its types know of the path only.
    return load("better-sqlite3/build/Release/better_sqlite3.node") as string;
  } catch {
    return undefined;
  }
}
