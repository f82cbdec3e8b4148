import { randomUUID } from "node:crypto";
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { Channel, JobManager, Supports } from "@ojm/core";
import { FORMAT, formatOf } from "@ojm/core/internal/operator";
import { type Finding, ok, problem, warning } from "./finding.js";

/** The channel of the round trips. */
const CHANNEL = "oJobManager-doctor";

/** How many reads, and how many commits, are timed. */
const ROUND_TRIPS = 20;

/** How long the leftovers of a killed doctor live, in ms. */
const LEFTOVER_TTL = 60_000;

/** Heartbeats come every five seconds: calls slower than these, in ms, are a warning or a problem. */
const SLOW = 250;
const TOO_SLOW = 2_500;

/** The bytes that must be free on the disk of a store. */
const LITTLE = 1_073_741_824;
const TOO_LITTLE = 104_857_600;

/** The median and the 99th percentile of the calls, in ms. */
interface Took {
  readonly p50: number;
  readonly p99: number;
}

/** Times reads and small commits on a channel of its own, and removes what it wrote. */
export async function checkRoundTrips(manager: JobManager): Promise<Finding[]> {
  const channel = await manager.channel<number>(CHANNEL);
  const key = randomUUID();
  const reads = await timed(() => channel.get(key));
  const life = channel.supports.ttl ? { ttl: LEFTOVER_TTL } : {};
  const commits = await timed((i) => channel.set(key, i, life)).catch(async (error: unknown) => {
    // A store that went away does not answer this call either: with a time to live, the entry ends by itself.
    if (!channel.supports.ttl) await channel.unset(key).catch(() => {});
    throw error;
  });
  await channel.unset(key);
  const { jobs, locks } = manager.channels;
  const findings = [judge({ reads, commits })];
  // `manager.channel` opens channels only in the store of the locks. If the records are in another store,
  // reads of that store are timed too.
  if (jobs.joins(locks as Channel<unknown>)) return findings;
  const records = await timed(() => jobs.entry({ name: key, startTime: 0 }));
  return [...findings, judge({ "reads of records": records })];
}

async function timed(call: (i: number) => Promise<unknown>): Promise<Took> {
  const took: number[] = [];
  for (let i = 0; i < ROUND_TRIPS; i++) {
    const begin = performance.now();
    await call(i);
    took.push(performance.now() - begin);
  }
  took.sort((a, b) => a - b);
  const at = (share: number): number => Math.round((took[Math.ceil(took.length * share) - 1] ?? 0) * 100) / 100;
  return { p50: at(0.5), p99: at(0.99) };
}

function judge(calls: Readonly<Record<string, Took>>): Finding {
  const parts = Object.entries(calls).map(([kind, { p50, p99 }]) => `${kind} p50 ${p50} ms, p99 ${p99} ms`);
  const slowest = Math.max(...Object.values(calls).map(({ p99 }) => p99));
  const text = parts.join("; ");
  const evidence = Object.fromEntries(Object.entries(calls).map(([kind, took]) => [kind, { ...took }]));
  if (slowest < SLOW) return ok("round trips", text, { evidence });
  const help = "look at the load of the store and the network: a process whose heartbeat is late loses its locks";
  return (slowest < TOO_SLOW ? warning : problem)("round trips", text, { help, evidence });
}

const DURABILITY: Readonly<Record<Supports["durability"], string>> = {
  none: "survives nothing",
  process: "survives the death of its process, but perhaps not a power cut",
  host: "survives a power cut",
};

const SHARING: Readonly<Record<Supports["shared"], string>> = {
  process: "one process alone",
  host: "the processes of one host",
  network: "processes on any host",
};

const NOT_KEPT = "name a store that keeps its data: a file, or a server";

/** How widely a store is shared, as an order. */
const REACH: Readonly<Record<Supports["shared"], number>> = { process: 0, host: 1, network: 2 };

/** Reports what the stores promise, as they declare it. */
export function checkPromises({ channels: { jobs, locks } }: JobManager): Finding[] {
  const findings = jobs.joins(locks as Channel<unknown>)
    ? [promise("records and locks", jobs.supports)]
    : [promise("records", jobs.supports), promise("locks", locks.supports)];
  if (REACH[locks.supports.shared] >= REACH[jobs.supports.shared]) return findings;
  const text = `records are for ${SHARING[jobs.supports.shared]}, and their locks for ${SHARING[locks.supports.shared]}`;
  const help = "keep the locks in a store that all processes share: others may run the same job now";
  return [...findings, problem("store", text, { help })];
}

function promise(what: string, { durability, shared, risk }: Supports): Finding {
  const life =
    risk === undefined ? `what was written ${DURABILITY[durability]}` : `${risk.event} may lose what was written`;
  const text = `${what}: ${life}; for ${SHARING[shared]}`;
  const evidence = { what, durability, shared };
  if (durability !== "none") return ok("store", text, { evidence });
  return warning("store", text, { help: risk?.remedy ?? NOT_KEPT, evidence });
}

/** The format of the entries in the store of the locks. */
export async function checkFormat(manager: JobManager): Promise<Finding> {
  const format = await formatOf(await manager.channelOf("oJobManager-format"));
  if (format === undefined) return ok("format", "the store does not name the format of its entries");
  const { wrote, reads, ojm } = format;
  const evidence = { wrote, reads, ojm, here: FORMAT };
  if (wrote <= FORMAT)
    return ok("format", `the entries have format ${wrote}, as this version writes them`, { evidence });
  const text = `ojm ${ojm} wrote entries of format ${wrote}; this version reads up to format ${FORMAT}, and leaves the others alone`;
  return warning("format", text, { help: "during a deploy or after a roll-back, this warning is normal", evidence });
}

/** The free space on the disks of these files. */
export function checkDisk(files: readonly string[]): Promise<Finding[]> {
  return Promise.all([...new Set(files.map((file) => dirname(file)))].map(diskOf));
}

async function diskOf(folder: string): Promise<Finding> {
  try {
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    const text = `${(free / LITTLE).toFixed(1)} GiB are free at ${folder}`;
    const evidence = { folder, free };
    if (free >= LITTLE) return ok("disk", text, { evidence });
    const help = `make room, or delete old runs: ojm prune --older-than 30d. "retention" in the config keeps fewer of them`;
    return (free < TOO_LITTLE ? problem : warning)("disk", text, { help, evidence });
  } catch (error) {
    return warning("disk", `the disk of ${folder} cannot be looked at: ${(error as Error).message}`);
  }
}
