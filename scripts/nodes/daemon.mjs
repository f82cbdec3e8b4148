import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const FILE = `include: [oJobManager.yaml]
ojob: { daemon: true }
jobs:
  - name: Init
    to: oJobManager Init
    args:
      chJobs: { type: sqlite, args: { file: ./data/jobs.db } }
      chLocks: { type: sqlite, args: { file: ./data/jobs.db } }
  - name: Tick
    typeArgs: { cron: "* * * * * *" }
    from: oJobManager Job Start
    to: oJobManager Job End
    args: { name: tick, timeout: 60000 }
    exec: log("ticked");
todo: [Init, Tick]
`;

const STARTS = 10;

/**
 * Runs a daemon on SQLite with a job each second, and kills and starts it ten times. Resolves to what went
 * wrong, or `undefined`.
 */
export async function daemon(ojm, { folder, env, minutes }) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "daemon.yaml"), FILE);
  for (let start = 1; start <= STARTS; start++) {
    const wrong = await untilKilled(ojm, { folder, env, ms: (minutes * 60_000) / STARTS });
    if (wrong !== undefined) return `start ${start} of ${STARTS}: ${wrong}`;
  }
}

/**
 * Runs the daemon until it has ticked twice and `ms` have passed, then kills it. A daemon that ends by itself
 * has failed.
 */
async function untilKilled(ojm, { folder, env, ms }) {
  const running = spawn(ojm, ["run", "daemon.yaml"], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [running.stdout, running.stderr]) stream.on("data", (data) => (output += data));
  const ended = new Promise((resolve) => running.on("close", (code, signal) => resolve({ code, signal })));
  const until = performance.now() + ms;
  let first;
  while (first === undefined && (output.split("ticked").length < 3 || performance.now() < until)) {
    first = await Promise.race([ended, pause(100)]);
  }
  if (first !== undefined) return `it ended with ${first.signal ?? first.code}: ${output.slice(-500)}`;
  running.kill("SIGKILL");
  await ended;
}
