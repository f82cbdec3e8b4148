import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { checkOptions, openPrometheus, type PrometheusOptions } from "./prometheus.js";

/** Options of {@link openMetricsServer}. */
export interface MetricsServerOptions extends PrometheusOptions {
  /** The address to listen on. Default: 127.0.0.1, which can be reached only from this machine. */
  readonly host?: string;
  /** The port; 0 takes any free one. Default: 9464. */
  readonly port?: number;
}

/** A server of `/metrics`, `/healthz` and `/readyz`. */
export interface MetricsServer {
  /** Its address, such as `http://127.0.0.1:9464`. */
  readonly url: string;
  close(): Promise<void>;
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|::1)$/;

/** The `Host` of a request from this machine to a loopback address. */
const LOCAL_HOST = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/i;

/**
 * Serves the metrics of this process. The server does not keep the process alive.
 *
 * It has no authentication: on an address other than 127.0.0.1, everyone who can reach it can read the names
 * of the jobs.
 *
 * @throws TypeError for an unknown option
 * @throws the system error if the server cannot listen on the address
 */
export async function openMetricsServer(options: MetricsServerOptions = {}): Promise<MetricsServer> {
  checkOptions("openMetricsServer", options, ["host", "port", "manager", "ready"]);
  const { host = "127.0.0.1", port = 9464, ...measured } = options;
  const metrics = openPrometheus(measured);
  const isLocal = LOOPBACK.test(host);
  const server = createServer((request, response) => {
    if (isLocal && !LOCAL_HOST.test(request.headers.host ?? "")) {
      // A page in a browser can point its own name to this server (DNS rebinding), and would read all of it.
      response.writeHead(421, { "Content-Type": "text/plain" }).end("this server answers to localhost only\n");
    } else if (!metrics.handle(request, response)) {
      response.writeHead(404, { "Content-Type": "text/plain" }).end("there are /metrics, /healthz and /readyz\n");
    }
  });
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (error) {
    metrics.close();
    throw error;
  }
  server.unref();
  const address = server.address() as AddressInfo;
  return {
    url: `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`,
    async close() {
      metrics.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
