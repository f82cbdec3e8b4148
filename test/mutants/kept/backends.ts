import type { Kept } from "../types.js";
import { etcd } from "./etcd.js";
import { level } from "./level.js";
import { redis } from "./redis.js";
import { simple } from "./simple.js";
import { sqlite } from "./sqlite.js";

/** What is kept of the backends: a file for each store. */
export const backends: Kept = {
  named: [...redis, ...etcd, ...sqlite, ...level, ...simple],
  equivalent: [],
  slow: [],
  last: [],
};
