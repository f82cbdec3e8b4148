import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { onFreePorts, releasePort } from "../../conformance/src/proxy/free-port.js";

/** Which server to start. */
export type RedisBinary = "redis-server" | "valkey-server";

/** A server process with its own port and its own folder. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  readonly folder: string;
  /** Sends one command over a connection of its own. */
  command(name: string, ...args: string[]): Promise<unknown>;
  /** Kills the process; the folder stays. */
  kill(): Promise<void>;
  /** Starts it again after {@link kill}, on the same port and folder. */
  start(): Promise<void>;
  /** Suspends the process: it keeps its connections and answers nothing. */
  freeze(): void;
  thaw(): void;
  /** Ends the process and removes the folder. */
  stop(): Promise<void>;
}

export interface RedisServerOptions {
  readonly binary?: RedisBinary;
  /** Arguments as on the command line: `["--maxmemory", "4mb"]`. */
  readonly args?: readonly string[];
  /** The password for {@link RedisServer.command}. */
  readonly password?: string;
  /** Environment variables in addition to ours. */
  readonly env?: Readonly<Record<string, string>>;
  /** A dump that the server loads: its content at the start. */
  readonly dump?: string;
  /** How long a node may be silent, in ms. Default: 1,000 under Sentinels, 2,000 in a Cluster. */
  readonly silence?: number;
}

/** Why a server cannot be started here, or `undefined` if it can. */
export function whyMissing(binary: RedisBinary): string | undefined {
  try {
    execFileSync(binary, ["--version"], { stdio: "ignore" });
    return undefined;
  } catch {
    return `${binary} is not installed (apt-get install ${binary})`;
  }
}

/** Waits until `condition` holds. The deadline only ends a test that has failed. */
export async function until(condition: () => boolean | Promise<boolean>, what: string, ms = 30_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`still not so after ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The offset from a port to the port of the Cluster's bus. */
const BUS = 10_000;

/** Starts a server. Resolves once it accepts connections, and rejects with its output if it ends before. */
async function launch(
  binary: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ChildProcess> {
  const child = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  // An abandoned server must not outlive the tests.
  const onExit = (): void => void child.kill("SIGKILL");
  process.once("exit", onExit);
  child.once("close", () => process.off("exit", onExit));
  let output = "";
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-10_000);
      if (/Ready to accept connections|Sentinel ID is/.test(output)) resolve();
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("error", reject);
    child.once("close", () => reject(new Error(`${binary} ended:\n${output}`)));
  });
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, "close");
  child.kill("SIGKILL");
  await closed;
}

/** Starts one server. Without arguments it keeps everything in memory and nothing on disk. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  return onFreePorts({ distance: BUS }, (port = 0) => startOnPort(port, options));
}

async function startOnPort(port: number, options: RedisServerOptions): Promise<RedisServer> {
  const { binary = "redis-server", args = [], password, env, dump } = options;
  const folder = mkdtempSync(join(tmpdir(), "ojm-redis-"));
  if (dump !== undefined) copyFileSync(dump, join(folder, "dump.rdb"));
  const all = [
    ...["--port", String(port), "--bind", "127.0.0.1", "--dir", folder],
    ...["--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0", "--enable-debug-command", "yes"],
    ...args,
  ];
  let child: ChildProcess;
  try {
    child = await launch(binary, all, env);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  const connect = { port, host: "127.0.0.1", ...(password === undefined ? {} : { password }) };
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    folder,
    command: (name, ...rest) => commandOnce(connect, name, rest),
    kill: () => end(child),
    async start() {
      child = await launch(binary, all, env);
    },
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    async stop() {
      await end(child);
      rmSync(folder, { recursive: true, force: true });
      releasePort(port);
    },
  };
}

export async function commandOnce(
  options: Record<string, unknown>,
  name: string,
  args: readonly string[],
): Promise<unknown> {
  const client = new Redis({ ...options, lazyConnect: true, retryStrategy: null, commandTimeout: 10_000 });
  client.on("error", () => {}); // the rejection reports it
  try {
    await client.connect();
    return await client.call(name, ...args);
  } finally {
    client.disconnect();
  }
}

/** A master, a replica and three Sentinels that watch over them. */
export interface SentinelSetup {
  readonly name: string;
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  readonly servers: readonly RedisServer[];
  /** The server that the Sentinels name as master now. */
  master(): Promise<RedisServer>;
  stop(): Promise<void>;
}

/** Starts a master with one replica and three Sentinels, and waits until they all know each other. */
export async function startSentinel(options: RedisServerOptions = {}): Promise<SentinelSetup> {
  const name = "main";
  const first = await startRedis(options);
  const replicaOf = ["--replicaof", "127.0.0.1", String(first.port)];
  const second = await startRedis({ ...options, args: [...(options.args ?? []), ...replicaOf] });
  const servers = [first, second];
  const sentinels = await Promise.all([1, 2, 3].map(() => startOneSentinel(name, first.port, options)));
  const ask = (port: number, ...args: string[]): Promise<unknown> =>
    commandOnce({ port, host: "127.0.0.1" }, "SENTINEL", args);
  const knows = async (port: number): Promise<boolean> => {
    const facts = (await ask(port, "MASTER", name)) as string[];
    const fact = (key: string): string | undefined => facts[facts.indexOf(key) + 1];
    return fact("num-other-sentinels") === "2" && fact("num-slaves") === "1" && fact("flags") === "master";
  };
  for (const { port } of sentinels) await until(() => knows(port), "Sentinels know each other and the replica");
  await until(
    async () => String(await first.command("INFO", "replication")).includes("state=online"),
    "replica in sync",
  );
  return {
    name,
    servers,
    sentinels: sentinels.map(({ port }) => ({ host: "127.0.0.1", port })),
    async master() {
      const [sentinel] = sentinels;
      const address = (await ask(sentinel?.port ?? 0, "GET-MASTER-ADDR-BY-NAME", name)) as string[];
      const found = servers.find(({ port }) => String(port) === address[1]);
      if (found === undefined) throw new Error(`the Sentinels name ${address.join(":")} as master`);
      return found;
    },
    async stop() {
      await Promise.all([...sentinels, ...servers].map((server) => server.stop()));
    },
  };
}

async function startOneSentinel(
  name: string,
  masterPort: number,
  { binary = "redis-server", silence = 1_000 }: RedisServerOptions,
): Promise<{ port: number; stop(): Promise<void> }> {
  return onFreePorts({}, async (port = 0) => {
    const folder = mkdtempSync(join(tmpdir(), "ojm-sentinel-"));
    const file = join(folder, "sentinel.conf");
    const lines = [
      `port ${port}`,
      "bind 127.0.0.1",
      `dir ${folder}`,
      `sentinel monitor ${name} 127.0.0.1 ${masterPort} 2`,
      `sentinel down-after-milliseconds ${name} ${silence}`,
      `sentinel failover-timeout ${name} 3000`,
    ];
    writeFileSync(file, `${lines.join("\n")}\n`);
    const remove = (): void => rmSync(folder, { recursive: true, force: true });
    try {
      const child = await launch(binary, [file, "--sentinel"]);
      return {
        port,
        async stop() {
          await end(child);
          remove();
          releasePort(port);
        },
      };
    } catch (error) {
      remove();
      throw error;
    }
  });
}

/** Masters that share the slots between them. */
export interface RedisClusterSetup {
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly servers: readonly RedisServer[];
  stop(): Promise<void>;
}

/** Starts a Cluster of three masters, and waits until it works. */
export async function startRedisCluster(options: RedisServerOptions = {}): Promise<RedisClusterSetup> {
  const { silence = 2_000 } = options;
  const args = ["--cluster-enabled", "yes", "--cluster-node-timeout", String(silence), ...(options.args ?? [])];
  const servers: RedisServer[] = [];
  for (let i = 0; i < 3; i++) servers.push(await startRedis({ ...options, args }));
  const bounds = [0, 5_461, 10_923, 16_384];
  for (const [i, server] of servers.entries()) {
    await server.command("CLUSTER", "ADDSLOTSRANGE", String(bounds[i]), String((bounds[i + 1] ?? 0) - 1));
    await server.command("CLUSTER", "SET-CONFIG-EPOCH", String(i + 1));
    const [first] = servers;
    if (first !== undefined && i > 0) await server.command("CLUSTER", "MEET", "127.0.0.1", String(first.port));
  }
  const works = async (server: RedisServer): Promise<boolean> => {
    const info = String(await server.command("CLUSTER", "INFO"));
    return (
      info.includes("cluster_state:ok") &&
      info.includes("cluster_known_nodes:3") &&
      info.includes("cluster_slots_ok:16384")
    );
  };
  for (const server of servers) await until(() => works(server), "the Cluster works");
  return {
    servers,
    nodes: servers.map(({ port }) => ({ host: "127.0.0.1", port })),
    async stop() {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}
