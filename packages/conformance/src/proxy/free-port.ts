import { createServer, type Server } from "node:net";

/** Servers get even ports from here on. They are below the range for outgoing connections. */
const FIRST = 20_000;
const PORTS = 6_000;

/** How often servers are started with other ports if an address is in use. */
const ATTEMPTS = 5;

/** The claims of the ports that this process has given out. */
const claims: Map<number, readonly Server[]> = new Map();

/**
 * Resolves to a port on which no server listens, and which no other process gets from this function until
 * {@link releasePort}, even while its server is down. It is below the range for outgoing connections: one of
 * these could take the port while its server is down. With `distance`, the same holds for the port that far
 * above it.
 */
export async function freePort(distance = 0): Promise<number> {
  for (;;) {
    const port = FIRST - distance + 2 * Math.floor(Math.random() * PORTS);
    const ports = distance === 0 ? [port] : [port, port + distance];
    if (await claim(ports)) return port;
  }
}

/** Lets other processes have a port of {@link freePort}. Call it when the server is gone for good. */
export function releasePort(port: number): void {
  for (const server of claims.get(port) ?? []) server.close();
  claims.delete(port);
}

/**
 * Claims ports by listening on the odd port above each: two processes cannot, and the system ends the claim
 * of a process that dies. Resolves to false if a port is claimed or in use.
 */
async function claim(ports: readonly number[]): Promise<boolean> {
  const [first = 0] = ports;
  const servers: Server[] = [];
  for (const port of ports) {
    const server = await listen(port + 1);
    if (server !== undefined) servers.push(server);
    if (server === undefined || !(await isFree(port))) {
      for (const each of servers) each.close();
      return false;
    }
  }
  for (const server of servers) server.unref();
  claims.set(first, servers);
  return true;
}

async function isFree(port: number): Promise<boolean> {
  const server = await listen(port);
  if (server === undefined) return false;
  await new Promise((resolve) => server.close(resolve));
  return true;
}

function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => resolve(server));
  });
}

/** Which ports {@link onFreePorts} takes. */
export interface PortsWanted {
  readonly count?: number;
  /** As for {@link freePort}. */
  readonly distance?: number;
}

/**
 * Calls `start` with free ports. Calls it again with others if it fails because an address is in use: another
 * program may take a port after the check. If it succeeds, the ports stay claimed until {@link releasePort}.
 */
export async function onFreePorts<T>(
  { count = 1, distance = 0 }: PortsWanted,
  start: (...ports: number[]) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const ports: number[] = [];
    try {
      while (ports.length < count) ports.push(await freePort(distance));
      return await start(...ports);
    } catch (error) {
      for (const port of ports) releasePort(port);
      if (attempt === ATTEMPTS || !/address already in use|EADDRINUSE/i.test(String(error))) throw error;
    }
  }
}
