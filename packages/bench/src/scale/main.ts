import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { commitNow, loadNow, machineNow } from "../report/machine.js";
import { stores } from "../stores.js";
import { measureNames, type NamesRow } from "./names.js";
import type { ScaleResult } from "./result.js";
import { measureSessions, type SessionsRow } from "./sessions.js";
import { measureWaiters, type WaitersRow } from "./waiters.js";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    what: { type: "string", default: "names,sessions,waiters" },
    json: { type: "string" },
    names: { type: "string", default: "1,1000,10000,100000" },
    sessions: { type: "string", default: "1,10,100,1000,2000" },
    waiters: { type: "string", default: "10,10/10,100,1000,50/50,1000/50" },
  },
});

/** The stores that several processes share. */
const SHARED = ["sqlite", "redis", "etcd", "postgres"];

/** The stores whose sessions cost processor time of a server. */
const SERVERS = ["redis", "etcd", "postgres"];

/** On PostgreSQL a session has two connections, each of which is a process of the server. */
const MOST_SESSIONS: Readonly<Record<string, number>> = { postgres: 1_000 };

const known = { commit: commitNow(), before: loadNow(), date: new Date().toISOString().slice(0, 10) };
const names: NamesRow[] = [];
const sessions: SessionsRow[] = [];
const waiters: WaitersRow[] = [];

/** Called after each row: an interrupted call keeps its results so far. */
function write(): void {
  if (values.json === undefined) return;
  const { commit, before, date } = known;
  const machine = machineNow([before, loadNow()]);
  const result: ScaleResult = { kind: "scale", date, ...(commit && { commit }), machine, names, sessions, waiters };
  writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
}

const chosen = stores.filter(({ name, missing }) => {
  if (values.only?.split(",").includes(name) === false) return false;
  const why = missing();
  if (why !== undefined) console.log(`${name} not measured: ${why}`);
  return why === undefined;
});

const percent = (part: number): string => `${(100 * part).toFixed(2)} %`;

async function scaleNames(): Promise<void> {
  console.log("ten records of each name; times in ms; prune over the time in which its records were written\n");
  console.log("store         names    records  written/s   newest ten   ten of a window   prune of half");
  for (const store of chosen) {
    for (const count of values.names.split(",").map(Number)) {
      const row = await measureNames(store, count);
      names.push(row);
      const counts = [row.names, row.records, row.insertPerSecond].map((n) => String(n).padStart(11)).join("");
      const times = `${row.newest.toFixed(2).padStart(12)}${row.window.toFixed(2).padStart(18)}`;
      console.log(`${store.name.padEnd(8)}${counts}${times}${`${row.prune.toFixed(2)} ×`.padStart(16)}`);
      write();
    }
  }
}

async function scaleSessions(): Promise<void> {
  console.log("\nsessions that hold a lock each, with connections of their own; parts of a core\n");
  console.log("store     sessions      server   all clients");
  for (const store of chosen.filter(({ name }) => SERVERS.includes(name))) {
    // The row of 0 shows the processor time of an idle server.
    for (const count of [0, ...values.sessions.split(",").map(Number)]) {
      if (count > (MOST_SESSIONS[store.name] ?? count)) continue;
      const row = await measureSessions(store, count);
      sessions.push(row);
      const parts = `${percent(row.server).padStart(12)}${percent(row.clients).padStart(14)}`;
      console.log(`${store.name.padEnd(9)}${String(count).padStart(9)}${parts}`);
      write();
    }
  }
}

async function scaleWaiters(): Promise<void> {
  console.log("\nwaiters of one name, while a process holds the lock, and once it is released\n");
  console.log("store     waiters  processes   idle, of a core   hand-off in ms: median, p99, max   failed  lock lost");
  for (const store of chosen.filter(({ name }) => SHARED.includes(name))) {
    for (const crowd of values.waiters.split(",")) {
      const [count = 1, processes = 1] = crowd.split("/").map(Number);
      const row = await measureWaiters(store, count, processes);
      waiters.push(row);
      const { median, p99, most } = row.handOff;
      const times = [median, p99, most].map((time) => time.toFixed(1)).join(", ");
      console.log(
        `${store.name.padEnd(9)}${String(count).padStart(8)}${String(processes).padStart(11)}${percent(row.idle).padStart(18)}   ${times.padEnd(33)}${String(row.failed).padStart(6)}  ${row.lost ? "yes" : "no"}`,
      );
      write();
    }
  }
}

const what = values.what.split(",");
if (what.includes("names")) await scaleNames();
if (what.includes("sessions")) await scaleSessions();
if (what.includes("waiters")) await scaleWaiters();
