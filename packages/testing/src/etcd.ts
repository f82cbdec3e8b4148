import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onFreePorts, releasePort } from "../../conformance/src/proxy/free-port.js";
import { stopped } from "../../conformance/src/proxy/process-tree.js";

/** Why etcd cannot be started here, `undefined` if it can. */
export function etcdMissing(): string | undefined {
  const { error } = spawnSync("etcd", ["--version"], { stdio: "ignore" });
  return error === undefined ? undefined : "etcd is not installed: apt-get install etcd-server";
}

/** One etcd node, a child process with a folder of its own. */
export interface EtcdServer {
  /** `host:port` for clients. */
  readonly host: string;
  readonly pid: number | undefined;
  /** Sends SIGKILL: the node does not shut down in order. */
  kill(): Promise<void>;
  /** Sends SIGSTOP: the node keeps its connections and answers nothing. Resolves once it is stopped. */
  pause(): Promise<void>;
  resume(): void;
  /**
   * Starts it again after `kill`, with its data and on its port. Resolves once it serves. If `hidden`, it
   * serves only on {@link hiddenHost}, so that the clients of its port miss what happens there.
   */
  restart(options?: { readonly hidden?: boolean }): Promise<void>;
  readonly hiddenHost: string;
  /** Removes its data. */
  wipe(): void;
  /** Kills it and removes its data. */
  stop(): Promise<void>;
}

const running: Set<ChildProcess> = new Set();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A worker that the test runner kills runs no exit handler. On Linux, the system then kills its nodes. */
const withParent: readonly string[] =
  spawnSync("setpriv", ["--pdeathsig", "KILL", "true"], { stdio: "ignore" }).status === 0
    ? ["setpriv", "--pdeathsig", "KILL"]
    : [];

/** Starts etcd and resolves once it serves clients; rejects with the end of its log if it exits instead. */
function launch(args: readonly string[]): Promise<ChildProcess> {
  const [command = "etcd", ...all] = [...withParent, "etcd", ...args];
  const child = spawn(command, all, { stdio: ["ignore", "ignore", "pipe"] });
  running.add(child);
  child.once("exit", () => running.delete(child));
  return new Promise((resolve, reject) => {
    let log = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      log = (log + chunk).slice(-20_000);
      if (log.includes("ready to serve client requests")) resolve(child);
    });
    child.once("error", reject);
    // Not "exit": the last words, which say why, may come after it.
    child.once("close", () => reject(new Error(`etcd did not start:\n${log.slice(-2_000)}`)));
  });
}

/** `hidden` is the port of {@link EtcdServer.hiddenHost}, `peer` that for the other nodes. */
interface NodePorts {
  readonly client: number;
  readonly peer: number;
  readonly hidden?: number;
}

function server(dir: string, args: readonly string[], first: ChildProcess, ports: NodePorts): EtcdServer {
  const host = local(ports.client);
  const hiddenHost = local(ports.hidden ?? ports.client);
  let child = first;
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await exited;
  };
  return {
    host,
    get pid() {
      return child.pid;
    },
    kill,
    async pause() {
      child.kill("SIGSTOP");
      await stopped(child.pid);
    },
    resume: () => void child.kill("SIGCONT"),
    async restart({ hidden = false } = {}) {
      child = await launch(hidden ? args.map((arg) => arg.replace(host, hiddenHost)) : args);
    },
    hiddenHost,
    wipe: () => rmSync(dir, { recursive: true, force: true }),
    async stop() {
      await kill();
      rmSync(dir, { recursive: true, force: true });
      for (const port of Object.values(ports)) releasePort(port);
    },
  };
}

const local = (port: number): string => `127.0.0.1:${port}`;

/** The options of a test's node. */
export interface EtcdServerOptions {
  readonly args?: readonly string[];
  /** For TLS: the files of a certificate for 127.0.0.1, and the only CA whose clients may connect. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string };
  /** A snapshot, of `etcdctl snapshot save`, from which the node is restored: its content at the start. */
  readonly snapshot?: string;
}

/** Starts a single node. It is ready in about 0.1 s. */
export function startEtcd({ args = [], tls, snapshot }: EtcdServerOptions = {}): Promise<EtcdServer> {
  return onFreePorts({ count: 3 }, async (client = 0, between = 0, hidden = 0) => {
    const dir = mkdtempSync(join(tmpdir(), "ojm-etcd-"));
    const host = local(client);
    const url = `${tls === undefined ? "http" : "https"}://${host}`;
    const peer = `http://${local(between)}`;
    const member = ["--initial-cluster", `default=${peer}`, "--initial-advertise-peer-urls", peer];
    if (snapshot !== undefined)
      execFileSync("etcdutl", ["snapshot", "restore", snapshot, "--data-dir", dir, ...member], { stdio: "ignore" });
    const all = [
      ...["--data-dir", dir, "--log-level", "info", "--unsafe-no-fsync"],
      ...["--listen-client-urls", url, "--advertise-client-urls", url],
      ...["--listen-peer-urls", peer, ...member],
      ...["--heartbeat-interval", "10", "--election-timeout", "50"],
      ...(tls === undefined ? [] : ["--cert-file", tls.cert, "--key-file", tls.key]),
      ...(tls?.clientCa === undefined ? [] : ["--client-cert-auth", "--trusted-ca-file", tls.clientCa]),
      ...args,
    ];
    return server(dir, all, await launch(all), { client, peer: between, hidden });
  });
}

/** Starts a cluster. Its nodes elect a new leader within a second. */
export function startEtcdCluster(size: number): Promise<EtcdServer[]> {
  return onFreePorts({ count: 2 * size }, async (...ports) => {
    const members = Array.from({ length: size }, (_, i) => ({
      name: `node${i}`,
      dir: mkdtempSync(join(tmpdir(), "ojm-etcd-")),
      ports: { client: ports[2 * i] ?? 0, peer: ports[2 * i + 1] ?? 0 },
      host: local(ports[2 * i] ?? 0),
      peer: `http://${local(ports[2 * i + 1] ?? 0)}`,
    }));
    const cluster = members.map(({ name, peer }) => `${name}=${peer}`).join(",");
    const started = await Promise.allSettled(
      members.map(async ({ name, dir, ports, host, peer }) => {
        const all = [
          ...["--name", name, "--data-dir", dir, "--log-level", "info", "--unsafe-no-fsync"],
          ...["--listen-client-urls", `http://${host}`, "--advertise-client-urls", `http://${host}`],
          ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer],
          ...["--initial-cluster", cluster, "--initial-cluster-token", members[0]?.peer ?? ""],
          ...["--heartbeat-interval", "50", "--election-timeout", "500"],
        ];
        return server(dir, all, await launch(all), ports);
      }),
    );
    const servers = started.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    const failed = started.find((each) => each.status === "rejected");
    if (failed === undefined) return servers;
    await Promise.all(servers.map((each) => each.stop()));
    throw failed.reason;
  });
}
