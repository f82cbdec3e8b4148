import { ChannelError, isChannelError, type Supports } from "@ojm/core/backend";
import type { Connection } from "./connection.js";

/** What a server says of itself. */
export interface ServerFacts {
  readonly durability: Supports["durability"];
  /** The policy by which it drops entries when its memory is full, if it does. */
  readonly eviction: string | undefined;
}

/**
 * Asks a server how it keeps what it is given. What it does not tell (INFO and CONFIG are often forbidden) is taken to be the worst
 * for durability, and the default for the rest.
 */
export async function inspectServer(connection: Connection): Promise<ServerFacts> {
  const info = await ask(connection, "INFO");
  const fact = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\r?$`, "m").exec(info)?.[1];
  const policy = fact("maxmemory_policy") ?? "noeviction";
  const limited = (fact("maxmemory") ?? "0") !== "0";
  const eviction = limited && policy !== "noeviction" ? policy : undefined;
  if (fact("aof_enabled") !== "1") return { durability: "none", eviction };
  // With its file written before each answer, what a write outlives is the process; with fsync, the host.
  const fsync = await ask(connection, "CONFIG", "GET", "appendfsync");
  return { durability: fsync.includes("always") ? "host" : "process", eviction };
}

/** The answer as text, or "" where this user may not ask. */
async function ask(connection: Connection, command: string, ...args: string[]): Promise<string> {
  try {
    return String(await connection.call((client) => client.call(command, ...args)));
  } catch (error) {
    // A refusal by the ACL looks like a wrong password; that one would have kept the connection from getting ready.
    const forbidden = isChannelError(error) && connection.isReady && !error.retryable;
    if (forbidden) return "";
    throw error;
  }
}

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
      `Set maxmemory-policy to noeviction, or allowEviction: true to live with that`,
  );
}
