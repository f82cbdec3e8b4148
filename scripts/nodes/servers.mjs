import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { onPath, run } from "../lib/run.mjs";

/** Starts the servers that the pages and the suite need. Leaves out a server that is not installed. */
export async function startServers(folder) {
  const children = [];
  const start = (name, command, args) => {
    const data = join(folder, name);
    mkdirSync(data, { recursive: true });
    children.push(spawn(command, args(data), { stdio: "ignore", cwd: data }));
  };
  const [redis, etcd, peer] = await Promise.all([freePort(), freePort(), freePort()]);
  const servers = {};
  if (onPath("redis-server")) {
    start("redis", "redis-server", () => ["--port", `${redis}`, "--bind", "127.0.0.1", "--save", ""]);
    servers.redis = redis;
  }
  if (onPath("etcd")) {
    const [client, between] = [`http://127.0.0.1:${etcd}`, `http://127.0.0.1:${peer}`];
    const urls = ["--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", between];
    start("etcd", "etcd", (data) => ["--data-dir", data, ...urls, "--log-level", "fatal"]);
    servers.etcd = etcd;
  }
  const stop = () => {
    for (const child of children) child.kill("SIGKILL");
  };
  // Stop the servers when the command is interrupted, too.
  process.once("exit", stop);
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
  for (const port of Object.values(servers)) await answering(port);
  return { ...servers, stop };
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function answering(port) {
  const code = `require("net").connect(${port}, "127.0.0.1").on("connect", () => process.exit()).on("error", () => process.exit(1))`;
  while ((await run(process.execPath, ["-e", code], { quiet: true, quietErrors: true })) !== 0) await pause(100);
}
