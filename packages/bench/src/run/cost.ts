import { readdirSync, readFileSync } from "node:fs";
import { GCProfiler, getHeapStatistics } from "node:v8";
import type { Cost } from "./contestant.js";

/**
 * Processor time of each thread of these processes and of their children, in µs. A tick of `/proc/PID/stat`
 * is 10 ms, as much as 400 runs take on Redis, so read the nanosecond counts of the scheduler.
 */
function threadTimes(pids: readonly number[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const pid of pids) {
    for (const thread of list(`/proc/${pid}/task`)) {
      const time = schedStat(pid, thread);
      if (time !== undefined) times.set(thread, time);
      const children = (read(`/proc/${pid}/task/${thread}/children`) ?? "").split(" ").filter((it) => it.trim() !== "");
      for (const [child, time] of threadTimes(children.map(Number))) times.set(child, time);
    }
  }
  return times;
}

/** Processor time of a thread, in µs. */
function schedStat(pid: number, thread: string): number | undefined {
  const text = read(`/proc/${pid}/task/${thread}/schedstat`);
  return text === undefined ? undefined : Number(text.split(" ")[0]) / 1_000;
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // the process ended meanwhile
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined; // the thread ended meanwhile
  }
}

/** Processor time of these processes and of their children so far, in µs. */
export function serverTime(pids: readonly number[]): number {
  return [...threadTimes(pids).values()].reduce((sum, time) => sum + time, 0);
}

/** Begins to count the processor time of processes. The result ends it, and returns µs. */
export function countServerTime(pids: readonly number[]): () => number {
  const before = threadTimes(pids);
  return () => {
    let sum = 0;
    // Per thread: the time of a thread that ended meanwhile must not be subtracted.
    for (const [thread, time] of threadTimes(pids)) sum += time - (before.get(thread) ?? 0);
    return sum;
  };
}

/** Processor time of our main thread so far, in µs. Node itself reports it only from version 22.19 on. */
function mainThreadTime(): number | undefined {
  return schedStat(process.pid, String(process.pid));
}

/** Measures a load. `work` resolves to the number of its runs. */
export async function measureCost(work: () => Promise<number>, servers: readonly number[]): Promise<Cost> {
  const serverTime = countServerTime(servers);
  const mainBefore = mainThreadTime();
  const client = process.cpuUsage();
  const begin = performance.now();
  const runs = await work();
  const wall = (performance.now() - begin) * 1_000;
  const own = process.cpuUsage(client);
  const mainAfter = mainThreadTime();
  const server = serverTime();
  return {
    wall: wall / runs,
    client: (own.user + own.system) / runs,
    ...(mainBefore !== undefined && mainAfter !== undefined && { main: (mainAfter - mainBefore) / runs }),
    server: server / runs,
  };
}

/**
 * How many bytes a run allocates on the heap of the main thread. No supported Node counts them, but its
 * profiler reports the size of the heap before and after each garbage collection: the sum of the growth in
 * between is the allocated amount. Measure nothing else meanwhile: the profiler takes time.
 */
export async function measureAllocation(work: () => Promise<number>): Promise<number> {
  globalThis.gc?.();
  const profiler = new GCProfiler();
  profiler.start();
  let last = getHeapStatistics().used_heap_size;
  const runs = await work();
  const end = getHeapStatistics().used_heap_size;
  let sum = 0;
  for (const { beforeGC, afterGC } of profiler.stop().statistics) {
    sum += beforeGC.heapStatistics.usedHeapSize - last;
    last = afterGC.heapStatistics.usedHeapSize;
  }
  return (sum + end - last) / runs;
}
