import { apart } from "./apart.js";
import { etcdCluster } from "./clusters/etcd-cluster.js";
import { postgresReplicas } from "./clusters/postgres-replicas.js";
import { redisCluster } from "./clusters/redis-cluster.js";
import { redisSentinel } from "./clusters/sentinel.js";
import { etcd } from "./etcd.js";
import { level, simple, sqlite } from "./files.js";
import { postgres } from "./postgres.js";
import { redis } from "./redis.js";
import type { StoreKind } from "./store.js";

/**
 * All kinds of stores: the simplest first, then the one of two stores, and last the stores of several nodes.
 */
export const storeKinds: readonly StoreKind[] = [
  simple,
  level,
  sqlite,
  redis,
  etcd,
  postgres,
  apart,
  redisSentinel,
  redisCluster,
  etcdCluster,
  postgresReplicas,
];
