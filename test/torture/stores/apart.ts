import { sqlite } from "./files.js";
import { redis } from "./redis.js";
import type { StoreKind } from "./store.js";

/**
 * The records in SQLite and the locks in Redis. A run begins and ends by two commits each, and anything may
 * come between them.
 */
export const apart: StoreKind = {
  ...redis,
  name: "sqlite+redis",
  apart: true,
  missing: redis.missing ?? sqlite.missing,
  async start(wishes) {
    const locks = await redis.start(wishes);
    const records = await sqlite.start(wishes);
    const { freeze } = records;
    return {
      ...locks,
      records: { type: sqlite.type, args: records.directArgs },
      ...(freeze !== undefined && { freezeRecords: freeze }),
      async stop() {
        await records.stop();
        await locks.stop();
      },
    };
  },
};
