import { pathToFileURL } from "node:url";
import { type BackendType, type Duration, systemClock } from "@ojm/core/backend";
import type { RequestCounter } from "../proxy/counters.js";
import { TcpProxy } from "../proxy/tcp-proxy.js";
import { msOf } from "../support/duration.js";
import type { CallersTransaction, Faults, Harness, TestStore } from "./harness.js";

/** The deadline of a call in a case that causes no faults, in ms, unless that of the harness is longer. */
const PATIENT = 20_000;

/** One or more servers that a harness started. */
export interface RunningServer {
  /**
   * The port of the server. Clients connect to it through a {@link TcpProxy}. Without a port, the harness has
   * no proxy and causes no network faults.
   */
  readonly port?: number;
  /** Faults of the server itself. */
  readonly faults?: Pick<Faults, "restart" | "pause">;
  stop(): Promise<void>;
}

/** How to test a backend whose store is a server. */
export interface ServerHarness<S extends RunningServer> {
  readonly name: string;
  readonly type: BackendType;
  /** The path of the module that exports the type, for clients in other processes. */
  readonly module: string;
  /** Starts the server, before the first case. All cases share it. */
  start(): Promise<S>;
  /** The args that open a client at `port`. A call must take at most `deadline` ms. */
  args(port: number, server: S, deadline: number): Readonly<Record<string, unknown>>;
  /**
   * The deadline for cases that cause faults. Other cases get a longer one, so that a machine that
   * stalls for seconds does not look like a fault.
   */
  readonly deadline: Duration;
  /** Counts the round trips of a connection. Default: `bursts`. */
  readonly counter?: () => RequestCounter;
  /** Begins a transaction of a caller: see {@link TestStore.transaction}. */
  readonly transaction?: (server: S) => Promise<CallersTransaction>;
  readonly knownFailures?: Readonly<Record<string, string>>;
}

/**
 * Makes the harness of a backend whose store is a server. Clients connect through a proxy, which causes the
 * network faults.
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
 *   deadline: "1s",
 * });
 */
export function onServer<S extends RunningServer>(options: ServerHarness<S>): Harness {
  const { name, knownFailures = {} } = options;
  const deadline = msOf("deadline", options.deadline);
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
  const { type, counter, transaction } = options;
  const module = pathToFileURL(options.module).href;
  const open = (args: Readonly<Record<string, unknown>>) => type.open(args, { clock: systemClock });
  const { port, faults = {} } = server;
  const begin = transaction && { transaction: () => transaction(server) };
  if (port === undefined) {
    const args = options.args(0, server, deadline);
    return { client: () => open(args), remote: { module, args }, faults, close: async () => {}, ...begin };
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
    ...begin,
  };
}
