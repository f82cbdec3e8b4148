import { pathToFileURL } from "node:url";
import { type BackendType, systemClock } from "@ojm/core/backend";
import type { RequestCounter } from "../proxy/counters.js";
import { TcpProxy } from "../proxy/tcp-proxy.js";
import type { Faults, Harness, TestStore } from "./harness.js";

/** How long a call may take, in ms, where nothing is wrong. */
const PATIENT = 20_000;

/** A server, or several, that a harness started. */
export interface RunningServer {
  /**
   * Where clients connect. Given, they do so through a {@link TcpProxy}. Without, there are no faults of the
   * network.
   */
  readonly port?: number;
  /** Faults of the server itself. */
  readonly faults?: Pick<Faults, "restart" | "pause">;
  stop(): Promise<void>;
}

/** How a store on a server is tested. */
export interface ServerHarness<S extends RunningServer> {
  readonly name: string;
  readonly type: BackendType;
  /** The path of the module that exports the type, for clients in other processes. */
  readonly module: string;
  /** Starts the server, before the first case. All cases share it. */
  start(): Promise<S>;
  /** The args to reach it at `port`, with calls that take `deadline` ms at the longest. */
  args(port: number, server: S, deadline: number): Readonly<Record<string, unknown>>;
  /**
   * That deadline where a case brings faults about. The others get a longer one: a machine that stands still
   * for seconds is no fault.
   */
  readonly deadline: number;
  /** How round trips are counted. Default: bursts. */
  readonly counter?: () => RequestCounter;
  readonly knownFailures?: Readonly<Record<string, string>>;
}

/**
 * The harness of a store on a server.
 *
 * @example
 * const harness = onServer({
 *   name: "mine", type: backend, module: fileURLToPath(new URL("./index.js", import.meta.url)),
 *   async start() {
 *     const args = (port) => ["--port", String(port)];
 *     const server = await ServerProcess.start({ command: "my-server", args });
 *     const faults = { restart: () => server.restart(), pause: server.pause };
 *     return { port: server.port, faults, stop: () => server.stop() };
 *   },
 *   args: (port, _server, deadline) => ({ host: "127.0.0.1", port, deadline }),
 *   deadline: 1_000,
 * });
 */
export function onServer<S extends RunningServer>(options: ServerHarness<S>): Harness {
  const { name, deadline, knownFailures = {} } = options;
  let server: Promise<S> | undefined;
  return {
    name,
    deadline,
    knownFailures,
    async open({ patient = false } = {}) {
      server ??= options.start();
      return storeOn(options, await server, patient ? Math.max(PATIENT, deadline) : deadline);
    },
    async close() {
      await (await server)?.stop();
      server = undefined;
    },
  };
}

async function storeOn<S extends RunningServer>(
  options: ServerHarness<S>,
  server: S,
  deadline: number,
): Promise<TestStore> {
  const { type, counter } = options;
  const module = pathToFileURL(options.module).href;
  const open = (args: Readonly<Record<string, unknown>>) => type.open(args, { clock: systemClock });
  const { port, faults = {} } = server;
  if (port === undefined) {
    const args = options.args(0, server, deadline);
    return { client: () => open(args), remote: { module, args }, faults, close: async () => {} };
  }
  const proxy = await TcpProxy.start({ port, ...(counter === undefined ? {} : { counter }) });
  const { partition, dropReplies, delay } = proxy;
  const args = options.args(proxy.port, server, deadline);
  return {
    client: () => open(args),
    direct: () => open(options.args(port, server, deadline)),
    remote: { module, args },
    faults: { ...faults, partition, dropReplies, delay },
    roundTrips: () => proxy.roundTrips,
    close: () => proxy.close(),
  };
}
