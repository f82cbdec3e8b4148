import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { etcdMissing, startEtcd } from "@ojm/testing/etcd";
import { postgresMissing, startPostgres } from "@ojm/testing/postgres";
import { startRedis, whyMissing } from "@ojm/testing/redis";
import { serverTime } from "../run/cost.js";

/**
 * How many processes the managers are spread over, so that the managers share the start time. Each manager
 * has its own connection to the store.
 */
const PROCESSES = 5;

/** The work of a server since it was started. */
interface Work {
  /** Calls of ojm. */
  readonly calls: number;
  /** Processor time, in s. */
  readonly cpu: number;
}

interface Server {
  readonly args: Readonly<Record<string, unknown>>;
  work(): Promise<Work>;
  stop(): Promise<void>;
}

interface Subject {
  readonly managers: number;
  missing(): string | undefined;
  start(): Promise<Server>;
}

const subjects: Readonly<Record<string, Subject>> = {
  redis: {
    managers: 500,
    missing: () => whyMissing("redis-server"),
    async start() {
      const server = await startRedis();
      const number = async (section: string, pattern: RegExp): Promise<number> => {
        const text = String(await server.command("INFO", section));
        return [...text.matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0);
      };
      const work = async (): Promise<Work> => ({
        calls: await number("commandstats", /^cmdstat_(?:evalsha|eval|get|mget):calls=(\d+)/gm),
        cpu: await number("cpu", /^used_cpu_(?:sys|user):([\d.]+)/gm),
      });
      return { args: { url: server.url }, work, stop: () => server.stop() };
    },
  },
  etcd: {
    managers: 300,
    missing: etcdMissing,
    async start() {
      const server = await startEtcd();
      const work = async (): Promise<Work> => {
        const text = await (await fetch(`http://${server.host}/metrics`)).text();
        const sum = (pattern: RegExp): number =>
          [...text.matchAll(pattern)].reduce((all, [, it]) => all + Number(it), 0);
        return {
          calls: sum(/^grpc_server_handled_total\{.*grpc_type="unary"\} (\S+)$/gm),
          cpu: sum(/^process_cpu_seconds_total (\S+)$/gm),
        };
      };
      return { args: { hosts: server.host }, work, stop: () => server.stop() };
    },
  },
  postgres: {
    managers: 500,
    missing: postgresMissing,
    async start() {
      // Each manager has a connection for calls and one that listens. The extension counts the statements.
      const settings = ["fsync=on", "max_connections=1500", "shared_preload_libraries=pg_stat_statements"];
      const server = await startPostgres({ settings });
      await server.sql("create extension pg_stat_statements");
      const work = async (): Promise<Work> => {
        const [row] = await server.sql("select sum(calls)::float8 as calls from pg_stat_statements");
        return { calls: Number(row?.["calls"]), cpu: serverTime([server.pid]) / 1e6 };
      };
      return { args: { url: server.url }, work, stop: () => server.stop() };
    },
  },
};

function child(script: string, args: readonly string[]): ChildProcess {
  const path = fileURLToPath(new URL(script, import.meta.url));
  return spawn(process.execPath, [...process.execArgv, path, ...args], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
}

/** Opens the managers. Resolves to a function that ends them. */
async function openManagers(type: string, { args }: Server, count: number, ttl: number): Promise<() => void> {
  const children = Array.from({ length: PROCESSES }, (_, i) => {
    const [first, last] = [i, i + 1].map((part) => String(Math.round((part * count) / PROCESSES)));
    return child("./managers.child.ts", [type, JSON.stringify(args), String(ttl), first ?? "", last ?? ""]);
  });
  await Promise.all(children.map((it) => once(it, "message")));
  return () => {
    for (const it of children) it.kill("SIGKILL");
  };
}

/** The times from the end of a body to the start of the next in another process, in ms, sorted. */
async function handOffs(type: string, { args }: Server, runs: number): Promise<number[]> {
  const store = { type, args };
  const contender = [JSON.stringify({ chJobs: store, chLocks: store }), String(runs), "5"];
  const children = Array.from({ length: 2 }, () => child("../handoff/contender.child.ts", contender));
  await Promise.all(children.map((it) => once(it, "message")));
  const all = children.map(async (it, of) => {
    it.send("go");
    const [said] = (await once(it, "message")) as [{ bodies: (readonly [number, number])[] }];
    return said.bodies.map(([begin, end]) => ({ of, begin, end }));
  });
  const bodies = (await Promise.all(all)).flat().sort((a, b) => a.begin - b.begin);
  return bodies
    .flatMap(({ of, begin }, i) => {
      const before = bodies[i - 1];
      return before === undefined || before.of === of ? [] : [begin - before.end];
    })
    .sort((a, b) => a - b);
}

async function measure(type: string, subject: Subject, count: number): Promise<void> {
  const server = await subject.start();
  const ttl = Number(values.ttl);
  const end = await openManagers(type, server, count, ttl);
  try {
    await sleep(3 * ttl);
    const [before, began] = [await server.work(), performance.now()];
    await sleep(Number(values.seconds) * 1_000);
    const [after, took] = [await server.work(), (performance.now() - began) / 1_000];
    const calls = ((after.calls - before.calls) / took).toFixed(0);
    const cpu = (((after.cpu - before.cpu) / took) * 100).toFixed(1);
    const gaps = await handOffs(type, server, Number(values.runs));
    const at = (part: number): string => (gaps[Math.floor(part * (gaps.length - 1))] ?? Number.NaN).toFixed(1);
    console.log(
      `${type.padEnd(9)}${String(count).padStart(9)}${calls.padStart(9)}${`${cpu} %`.padStart(12)}   ${at(0.5)}, ${at(0.99)}, ${at(1)}`,
    );
  } finally {
    end();
    await server.stop();
  }
}

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    managers: { type: "string" },
    ttl: { type: "string", default: "5000" },
    seconds: { type: "string", default: "40" },
    runs: { type: "string", default: "400" },
  },
});
console.log(
  `idle managers, each of which ran a job, over ${PROCESSES} processes; a time to live of ${values.ttl} ms.\n`,
);
console.log("store     managers  calls/s  server's cpu   hand-off beside them, in ms: median, p99, max");
for (const [type, subject] of Object.entries(subjects)) {
  if (values.only !== undefined && values.only !== type) continue;
  const missing = subject.missing();
  if (missing !== undefined) console.log(`${type.padEnd(9)}not measured: ${missing}`);
  else await measure(type, subject, Number(values.managers ?? subject.managers));
}
