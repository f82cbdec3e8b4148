import { createServer } from "node:net";

/**
 * Two test workers that run at the same time use different ports, so that one of them cannot take the port of
 * a server that the other one is restarting.
 */
const worker: number = Number(process.env["VITEST_POOL_ID"] ?? process.pid) % 2;

/**
 * Resolves to a port on which no server listens. It is below the range for outgoing connections: one of these
 * could take the port while its server is down. With `distance`, the same holds for the port that far above
 * it.
 */
export async function freePort(distance = 0): Promise<number> {
  for (;;) {
    const port = 20_000 - distance + 2 * Math.floor(Math.random() * 6_000) + worker;
    if ((await isFree(port)) && (distance === 0 || (await isFree(port + distance)))) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
