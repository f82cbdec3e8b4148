import { ChannelError, type Clock, isChannelError, type Supports } from "@ojm/core/backend";
import { emitWarning } from "@ojm/core/internal";
import { isCluster } from "./client.js";
import type { Connection } from "./connection.js";

/** What a server reports about itself. */
export interface ServerFacts {
  readonly durability: Supports["durability"];
  /** The policy by which the server drops entries when its memory is full; `undefined` if it drops none. */
  readonly eviction: string | undefined;
  /** How many replicas are connected; `undefined` if this user may not ask. */
  readonly replicas: number | undefined;
  /** Whether the server refuses writes without replicas (min-replicas-to-write). */
  readonly needsReplicas: boolean;
}

/** The pause between two checks of whether a node answers, or whether the replicas are connected, in ms. */
const PAUSE = 100;

/** How long a question may be repeated, by the monotonic clock. */
interface Patience {
  readonly deadline: number;
  readonly clock: Clock;
}

/**
 * Asks a server how it keeps its data. For what it does not report (INFO and CONFIG are often forbidden),
 * assumes the worst for durability, and the default for the rest.
 */
export async function inspectServer(connection: Connection, patience: Patience): Promise<ServerFacts> {
  const info = await askAny(connection, patience, "INFO");
  const common = {
    eviction: evictionOf(info),
    replicas: info === "" ? undefined : countReplicas(info),
    // Only a server with min-replicas-to-write reports this field. CONFIG is often forbidden.
    needsReplicas: factOf(info, "min_slaves_good_slaves") !== undefined,
  };
  if (factOf(info, "aof_enabled") !== "1") return { durability: "none", ...common };
  // The server writes its file before each answer, so a write survives the process; with fsync, the host.
  const fsync = await askAny(connection, patience, "CONFIG", "GET", "appendfsync");
  return { durability: fsync.includes("always") ? "host" : "process", ...common };
}

function factOf(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\r?$`, "m").exec(info)?.[1];
}

function evictionOf(info: string): string | undefined {
  const policy = factOf(info, "maxmemory_policy") ?? "noeviction";
  const limited = (factOf(info, "maxmemory") ?? "0") !== "0";
  return limited && policy !== "noeviction" ? policy : undefined;
}

function countReplicas(info: string): number {
  return info.match(/^slave\d+:.*state=online/gm)?.length ?? 0;
}

/** The mark of the layout, or `undefined` if there is none or this user may not read it. */
export async function readLayout(connection: Connection, name: string): Promise<string | undefined> {
  return (await ask(connection, "GET", name)) || undefined;
}

/** Writes the mark of the layout, unless there is one. Resolves to the one that was there. */
export async function claimLayout(connection: Connection, name: string, mark: string): Promise<string | undefined> {
  return (await ask(connection, "SET", name, mark, "NX", "GET")) || undefined;
}

/** Returns the answer as text, or "" if there is none or this user may not ask. */
async function ask(connection: Connection, command: string, ...args: string[]): Promise<string> {
  try {
    return String((await connection.call((client) => client.call(command, ...args))) ?? "");
  } catch (error) {
    // A refusal by the ACL looks like a wrong password, with which the connection would not be ready.
    const forbidden = isChannelError(error) && connection.isReady && !error.retryable;
    if (forbidden) return "";
    throw error;
  }
}

/**
 * The same for a question that each node of a Cluster answers. ioredis chooses the node, and may choose one
 * that is away while the others serve: asks again until one answers.
 */
async function askAny(
  connection: Connection,
  { deadline, clock }: Patience,
  command: string,
  ...args: string[]
): Promise<string> {
  const end = clock.monotonic() + deadline;
  for (;;) {
    try {
      return await ask(connection, command, ...args);
    } catch (error) {
      const isAway = isChannelError(error) && error.retryable && isCluster(connection.client);
      if (!isAway || clock.monotonic() >= end) throw error;
      await pause(clock);
    }
  }
}

const pause = (clock: Clock): Promise<void> => new Promise((resolve) => void clock.after(PAUSE, resolve, true));

/**
 * Refuses a server that drops entries when it is full.
 *
 * @throws ChannelError `INVALID_CONFIG`
 */
export function refuseEviction(facts: ServerFacts, where: string): void {
  if (facts.eviction === undefined) return;
  throw new ChannelError(
    "INVALID_CONFIG",
    `${where} drops entries when its memory is full (maxmemory-policy ${facts.eviction}): locks would vanish and jobs run twice. ` +
      `Set maxmemory-policy to noeviction, or accept the risk with allowEviction: true`,
  );
}

/** The shortest time between two checks of the policy, in ms: a little less than between two heartbeats. */
const POLICY_EVERY = 4_000;

/**
 * Warns when the server is set to drop entries while it is in use. The check goes along with commits, so with
 * every heartbeat of a process that holds locks. In a Cluster, each check asks one node.
 */
export class EvictionWatch {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #where: string;
  #next: number;
  #known: string | undefined;

  constructor(connection: Connection, clock: Clock, where: string) {
    this.#connection = connection;
    this.#clock = clock;
    this.#where = where;
    this.#next = clock.monotonic() + POLICY_EVERY;
  }

  /** Call it with each commit. The commit does not wait for the check. */
  check(): void {
    const now = this.#clock.monotonic();
    if (now < this.#next) return;
    this.#next = now + POLICY_EVERY;
    // Without an answer the policy is unknown: the next check asks again.
    ask(this.#connection, "INFO", "memory").then(
      (info) => this.#found(evictionOf(info)),
      () => {},
    );
  }

  #found(eviction: string | undefined): void {
    if (eviction !== undefined && eviction !== this.#known) {
      const text =
        `${this.#where} now drops entries when its memory is full (maxmemory-policy ${eviction}): locks can vanish and jobs run twice. ` +
        "Set maxmemory-policy back to noeviction";
      emitWarning("OJM_EVICTION", text);
    }
    this.#known = eviction;
  }
}

/**
 * Refuses a Sentinel setup in which a failover may lose locks, unless the servers themselves need replicas.
 * For callers that have not allowed lost writes.
 *
 * @throws ChannelError `INVALID_CONFIG`
 */
export function refuseLostWrites(facts: ServerFacts, where: string): void {
  if (facts.needsReplicas) return;
  throw new ChannelError(
    "INVALID_CONFIG",
    `${where} is to acknowledge writes that no replica has (waitReplicas: 0): after a failover, locks are lost and jobs run twice. ` +
      "Omit waitReplicas, or set min-replicas-to-write 1 on each server, or accept the risk with allowLostWrites: true",
  );
}

/**
 * Waits until the replicas that each write waits for are connected: without them, none can be acknowledged.
 *
 * @throws ChannelError `UNAVAILABLE` after the deadline
 */
export async function awaitReplicas(
  connection: Connection,
  facts: ServerFacts,
  { count, deadline, clock, where }: Patience & { readonly count: number; readonly where: string },
): Promise<void> {
  const end = clock.monotonic() + deadline;
  let there = facts.replicas;
  while (there !== undefined && there < count) {
    if (clock.monotonic() >= end) {
      const message =
        `${where} has ${there} connected replicas, and each write waits for ${count} (waitReplicas): none can be acknowledged. ` +
        "Start a replica, or set waitReplicas: 0 and allowLostWrites: true to do without: a failover then loses locks, and jobs run twice";
      throw new ChannelError("UNAVAILABLE", message, { retryable: true });
    }
    await pause(clock);
    there = countReplicas(await askAny(connection, { deadline, clock }, "INFO", "replication"));
  }
}
