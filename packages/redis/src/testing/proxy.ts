import { createServer, Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A proxy between client and server that simulates the faults of a network. */
export interface Proxy {
  readonly port: number;
  /** Drops the next answer and cuts its connection. */
  cutAfterNextAnswer(): void;
  /** The present connections stay open, but carry nothing from now on. Later ones work. */
  silence(): void;
  /** Cuts the next `times` connections that carry this command, before it reaches the server. */
  cutOn(command: string, times: number): void;
}

/** Starts a proxy that ends with the test. */
export async function startProxy(port: number): Promise<Proxy> {
  let cutAnswer = false;
  let cuts: { readonly pattern: RegExp; left: number } | undefined;
  const pairs = new Set<{ readonly client: Socket; readonly upstream: Socket }>();
  const proxy = createServer((client) => {
    const upstream = new Socket().connect(port, "127.0.0.1");
    pairs.add({ client, upstream });
    for (const socket of [client, upstream]) {
      socket.on("error", () => {});
      socket.on("close", () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.on("data", (request: Buffer) => {
      if (cuts === undefined || cuts.left === 0 || !cuts.pattern.test(request.toString("latin1"))) {
        upstream.write(request);
        return;
      }
      cuts.left--;
      client.destroy();
    });
    upstream.on("data", (answer: Buffer) => {
      if (!cutAnswer) {
        client.write(answer);
        return;
      }
      cutAnswer = false;
      client.destroy();
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const { client, upstream } of pairs) {
      client.destroy();
      upstream.destroy();
    }
    proxy.close();
  });
  const address = proxy.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    cutAfterNextAnswer() {
      cutAnswer = true;
    },
    silence() {
      for (const sockets of pairs) for (const socket of Object.values(sockets)) socket.pause();
    },
    cutOn(command, times) {
      cuts = { pattern: new RegExp(`\\b${command}\\r`, "i"), left: times };
    },
  };
}
