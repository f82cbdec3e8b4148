import {
  type Backend,
  type BackendContext,
  type BackendType,
  isChannelError,
  LayoutMark,
  type Supports,
} from "@ojm/core/backend";
import { RedisBackend } from "./backend.js";
import { followsSentinels, isCluster } from "./connection/client.js";
import { Connection } from "./connection/connection.js";
import { Replicas } from "./connection/replicas.js";
import {
  awaitReplicas,
  claimLayout,
  EvictionWatch,
  inspectServer,
  readLayout,
  refuseEviction,
  refuseLostWrites,
  type ServerFacts,
} from "./connection/server.js";
import { hasHashTag, LAYOUT, Names } from "./layout.js";
import { OPTIONS, readOptions } from "./options.js";
import { Watches } from "./watch/watches.js";

/**
 * Connects to Redis or Valkey. Rejects with a `ChannelError`: `INVALID_CONFIG` for a wrong option or a store
 * of a newer layout, `DENIED` for a wrong password, `UNAVAILABLE` if the server cannot be reached within the
 * deadline.
 */
async function open(args: Readonly<Record<string, unknown>>, { clock }: BackendContext): Promise<Backend> {
  const settings = readOptions(args);
  const { keyPrefix, deadline, waitReplicas, where } = settings;
  const client = await settings.create();
  const connection = new Connection(client, where, deadline, clock);
  try {
    const clustered = isCluster(client);
    const oneNode = !clustered || hasHashTag(keyPrefix);
    const names = new Names(keyPrefix, !oneNode, clustered ? 0 : client.options.db);
    const known = { store: `${where} (keyPrefix ${keyPrefix})`, package: "@ojm/redis", known: LAYOUT };
    const layout = new LayoutMark(known, clock, (mark) => claimLayout(connection, names.layout, mark));
    const unlessAway = (error: unknown): undefined => {
      // The node of the mark may be away while the others serve. The first write then starts the check.
      if (!clustered || !isChannelError(error) || !error.retryable) throw error;
    };
    // In one round trip.
    const [facts, mark] = await Promise.all([
      inspectServer(connection, { deadline, clock }),
      readLayout(connection, names.layout).catch(unlessAway),
    ]);
    layout.accept(mark);
    if (!settings.allowEviction) refuseEviction(facts, where);
    if (settings.refuseLostWrites) refuseLostWrites(facts, where);
    await awaitReplicas(connection, facts, { count: waitReplicas, deadline, clock, where });
    const failover = clustered
      ? "set min-replicas-to-write 1 on each node, or use Sentinels with waitReplicas"
      : followsSentinels(client)
        ? `waitReplicas is ${waitReplicas}: the number of all replicas is safe`
        : undefined;
    const supports: Supports = Object.freeze({
      shared: "network",
      ...durabilityOf(facts, failover),
      commitAcrossChannels: oneNode,
      ttl: true,
      watch: true,
      maxOps: 1_000,
      maxKeyBytes: 64 * 1_024,
      maxValueBytes: 16 * 1_024 * 1_024,
    });
    const watches = new Watches({ connection, names, where, deadline, clock });
    const publish = clustered ? "SPUBLISH" : "PUBLISH";
    // Give the replicas half of the deadline: their answer must arrive within the time of the commit.
    const replicas = waitReplicas > 0 ? new Replicas(waitReplicas, deadline / 2, where) : undefined;
    const eviction = settings.allowEviction ? undefined : new EvictionWatch(connection, clock, where);
    return new RedisBackend({ connection, watches, names, layout, supports, publish, where, replicas, eviction });
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** `failover`: the remedy if a replica can take over. It may lack what the disk of the master has. */
function durabilityOf(
  { durability }: ServerFacts,
  failover: string | undefined,
): Pick<Supports, "durability" | "risk"> {
  const risks: (readonly [event: string, remedy: string])[] = [];
  if (durability === "none") risks.push(["a restart of the server", "set appendonly yes on the server"]);
  if (failover !== undefined) risks.push(["a failover", failover]);
  if (risks.length === 0) return { durability };
  const event = risks.map(([each]) => each).join(" or ");
  return { durability: "none", risk: { event, remedy: risks.map(([, remedy]) => remedy).join("; ") } };
}

/** Channels in Redis or Valkey: one server, Sentinel or Cluster. */
export const backend: BackendType = { type: "redis", options: OPTIONS, load: () => import("ioredis"), open };
