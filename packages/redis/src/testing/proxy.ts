import { createServer, Socket } from "node:net";
import { onTestFinished } from "vitest";

/** Stands between client and server, and does to the way between them what a network does. */
export interface Proxy {
  readonly port: number;
  /** Swallows the next answer and cuts its connection. */
  cutAfterNextAnswer(): void;
  /** The connections of now carry nothing any more, in no direction, and stay open. Later ones work. */
  silence(): void;
  /**
   * Cuts the next connections that carry a command of this name, as many as `times` says, before it comes to
   * the server.
   */
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
