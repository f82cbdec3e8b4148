import { createRequire } from "node:module";
import type Database from "better-sqlite3";
import type { Counters } from "./counts.js";

const METHODS = ["run", "get", "all"] as const;

/** Counts the transactions of all SQLite databases of this process, and how often the file was locked. */
export function countStatements(): () => Counters {
  const counts = { calls: 0, busy: 0 };
  const prototype = statementPrototype();
  for (const method of METHODS) {
    const original = prototype[method] as (this: Database.Statement, ...args: unknown[]) => unknown;
    prototype[method] = function (this: Database.Statement, ...args: unknown[]): unknown {
      // A statement outside of a transaction counts as one. A statement that finds the file locked does not
      // count.
      const alone = !this.database.inTransaction;
      try {
        const result = original.apply(this, args);
        if (alone) counts.calls++;
        return result;
      } catch (error) {
        counts.busy++;
        throw error;
      }
    };
  }
  return () => ({ ...counts });
}

/** All statements of the driver that `@ojm/sqlite` loads have this prototype. */
function statementPrototype(): Record<string, unknown> {
  const ours = createRequire(createRequire(import.meta.url).resolve("@ojm/sqlite/package.json"));
  const old = Number.parseInt(process.versions.node, 10) < 22;
  const driver = ours(old ? "@ojm/sqlite-node20" : "better-sqlite3") as typeof Database & { addon?: () => string };
  const nativeBinding = driver.addon?.();
  const db = new driver(":memory:", nativeBinding === undefined ? {} : { nativeBinding });
  const prototype: unknown = Object.getPrototypeOf(db.prepare("SELECT 1"));
  db.close();
  return prototype as Record<string, unknown>;
}
