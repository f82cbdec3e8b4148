import { createServer } from "node:net";

/**
 * Test workers that run at the same time take ports of their own: one that is free because its server is down
 * for a moment is not taken by the other.
 */
const worker: number = Number(process.env["VITEST_POOL_ID"] ?? process.pid) % 2;

/**
 * A port that nobody listens on. It is below those that systems give to outgoing connections, one of which
 * could otherwise take it while its server is down. With `distance`, so is the one that far above it.
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
