import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { JobManagerOptions } from "@ojm/core";
import { stores } from "../stores.js";

const PROCESSES = 16;
const BODY = 5;

/** The stores that many processes share. */
const SHARED = ["sqlite", "redis", "etcd", "postgres"];

interface Body {
  readonly process: number;
  readonly begin: number;
  readonly end: number;
}

/**
 * Measures the time from the end of one body to the start of the next, among many processes that contend for
 * one name. It includes closing the record, releasing the lock, waking the next waiter and taking the lock.
 */
async function measureHandOff(runs: number, only: string | undefined): Promise<void> {
  console.log(
    `hand-off among ${PROCESSES} processes, bodies of ${BODY} ms: from the end of a body to the begin of the next, and processor time of a run, in ms.\n`,
  );
  console.log("store    median     p90     p99     max     cpu   most runs of others between two of a process");
  for (const store of stores) {
    if (!SHARED.includes(store.name) || (only !== undefined && only !== store.name)) continue;
    const missing = store.missing();
    if (missing !== undefined) {
      console.log(`${store.name.padEnd(8)} not measured: ${missing}`);
      continue;
    }
    const { options, close } = await store.open();
    try {
      show(store.name, await contend(options, runs));
    } finally {
      await close();
    }
  }
}

interface Contest {
  readonly bodies: readonly Body[];
  /** Processor time of a run, in ms, of all processes together. */
  readonly cpu: number;
}

async function contend(options: JobManagerOptions, runs: number): Promise<Contest> {
  const children = Array.from({ length: PROCESSES }, () => startChild(options, runs));
  await Promise.all(children.map((child) => once(child, "message")));
  let cpu = 0;
  const ended = children.map(async (child, process): Promise<Body[]> => {
    child.send("go");
    const [said] = (await once(child, "message")) as [{ bodies: (readonly [number, number])[]; cpu: number }];
    cpu += said.cpu;
    return said.bodies.map(([begin, end]) => ({ process, begin, end }));
  });
  const bodies = (await Promise.all(ended)).flat().sort((a, b) => a.begin - b.begin);
  return { bodies: middle(bodies), cpu: cpu / bodies.length };
}

function startChild(options: JobManagerOptions, runs: number): ChildProcess {
  const script = fileURLToPath(new URL("./contender.child.ts", import.meta.url));
  const args = [...process.execArgv, script, JSON.stringify(options), String(runs), String(BODY)];
  return spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
}

/**
 * The middle half. At the beginning programs are still being compiled, and at the end fewer and fewer
 * processes take part.
 */
function middle(bodies: readonly Body[]): Body[] {
  return bodies.slice(bodies.length / 4, (bodies.length * 3) / 4);
}

function show(name: string, { bodies, cpu }: Contest): void {
  const gaps: number[] = [];
  let most = 0;
  const last = new Map<number, number>();
  bodies.forEach((body, i) => {
    const before = bodies[i - 1];
    // Leave out hand-offs within one process: they wake no other process.
    if (before !== undefined && before.process !== body.process) gaps.push(body.begin - before.end);
    most = Math.max(most, i - (last.get(body.process) ?? i) - 1);
    last.set(body.process, i);
  });
  gaps.sort((a, b) => a - b);
  const at = (part: number): string =>
    (gaps[Math.floor(part * (gaps.length - 1))] ?? Number.NaN).toFixed(1).padStart(7);
  console.log(`${name.padEnd(8)}${at(0.5)} ${at(0.9)} ${at(0.99)} ${at(1)} ${cpu.toFixed(1).padStart(7)}   ${most}`);
}

const { values } = parseArgs({ options: { only: { type: "string" }, runs: { type: "string", default: "40" } } });
await measureHandOff(Number(values.runs), values.only);
