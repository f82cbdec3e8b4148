import { execFileSync, spawn } from "node:child_process";
import { chownSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onPath } from "../lib/run.mjs";
import { postgresFolder } from "../lib/servers.mjs";

/** How often a server is started with other ports if an address is in use. */
const ATTEMPTS = 5;

/** Starts the servers that the pages and the suite need. Leaves out a server that is not installed. */
export async function startServers(folder) {
  const children = new Set();
  const stop = () => {
    for (const child of children) child.kill("SIGKILL");
  };
  // Stop the servers when the command is interrupted, too.
  process.once("exit", stop);
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
  const start = (command, ready, args, options = { cwd: join(folder, command) }) => {
    mkdirSync(options.cwd, { recursive: true });
    return onFreePorts(command, (ports) => {
      const child = spawn(command, args(...ports), { stdio: ["ignore", "pipe", "pipe"], ...options });
      children.add(child);
      return serving(child, ready);
    });
  };
  const servers = {};
  if (onPath("redis-server")) {
    const args = (port) => ["--port", port, "--bind", "127.0.0.1", "--save", ""];
    servers.redis = await start("redis-server", /Ready to accept connections/, args);
  }
  if (onPath("etcd")) {
    servers.etcd = await start("etcd", /ready to serve client requests/, (port, peer) => {
      const [client, between] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peer}`];
      const urls = ["--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", between];
      return ["--data-dir", ".", ...urls, "--log-level", "info"];
    });
  }
  const programs = postgresFolder();
  if (programs === undefined) return { ...servers, stop };
  // Only we may enter `folder`.
  const own = mkdtempSync(join(tmpdir(), "ojm-nodes-postgres-"));
  process.once("exit", () => rmSync(own, { recursive: true, force: true, maxRetries: 10 }));
  return { ...servers, postgres: await startPostgres(start, programs, own), stop };
}

/** Starts PostgreSQL, which refuses to run as root: then it runs as the user that its package created. */
function startPostgres(start, programs, folder) {
  const id = (option) => Number(execFileSync("id", [option, "postgres"], { encoding: "utf8" }));
  const as = process.getuid?.() === 0 ? { uid: id("-u"), gid: id("-g") } : {};
  if (as.uid !== undefined) chownSync(folder, as.uid, as.gid);
  const data = join(folder, "data");
  const initdb = ["-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"];
  execFileSync(join(programs, "initdb"), initdb, { ...as, cwd: folder, stdio: "ignore" });
  const settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "max_connections=300"];
  const args = (port) => ["-D", data, "-p", port, ...settings.flatMap((setting) => ["-c", setting])];
  return start(join(programs, "postgres"), /ready to accept connections/, args, { ...as, cwd: folder });
}

/**
 * Calls `start` with two free ports, and with others if another program took one after the check. Resolves to
 * the first port.
 */
async function onFreePorts(command, start) {
  for (let attempt = 1; ; attempt++) {
    const ports = [await freePort(), await freePort()];
    const failure = await start(ports);
    if (failure === undefined) return Number(ports[0]);
    if (attempt === ATTEMPTS || !/address already in use/i.test(failure)) throw new Error(`${command}: ${failure}`);
  }
}

/** Resolves once a server is ready, or to its last words if it ends instead. */
function serving(child, ready) {
  return new Promise((resolve) => {
    let said = "";
    const read = (chunk) => {
      said = (said + chunk).slice(-10_000);
      if (ready.test(said)) resolve(undefined);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("error", (error) => resolve(error.message));
    child.once("close", () => resolve(said));
  });
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(String(port)));
    });
  });
}
