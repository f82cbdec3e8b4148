import { apart } from "./apart.js";
import { etcd } from "./etcd.js";
import { level, simple, sqlite } from "./files.js";
import { redis } from "./redis.js";
import type { StoreKind } from "./store.js";

/** All kinds of stores, the simplest first, and the one of two stores last. */
export const storeKinds: readonly StoreKind[] = [simple, level, sqlite, redis, etcd, apart];
