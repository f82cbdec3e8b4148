import { lookup, lookupService } from "node:dns/promises";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import type { NetQuestion } from "../http/requests.js";

/** Answers a question to the network, in the thread of requests. */
export async function answerTo(question: NetQuestion): Promise<string | number> {
  switch (question.ask) {
    case "latency":
      return latency(question.host, question.port, question.timeout);
    case "address":
      return (await lookup(question.host)).address;
    case "name":
      // The port is not part of the name.
      return (await lookupService(question.address, 0)).hostname;
    case "free port":
      return freePort();
  }
}

async function latency(host: string, port: number, timeout: number): Promise<number> {
  const began = performance.now();
  const socket = connect({ host, port });
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(timeout) });
    return Math.round(performance.now() - began);
  } finally {
    socket.destroy();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
