import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type JobManagerOptions, openJobManager, type RunRecord } from "@ojm/core";
import { openScheduler, type ScheduleTick } from "@ojm/schedule";
import { nodeArgs } from "../run/entry.js";
import { patiently } from "../scene/patiently.js";
import type { StoreKind } from "../stores/store.js";
import { type Evidence, faultsOf } from "./judge.js";
import { EVERY, type Policy, policies } from "./policies.js";
import { linesOf, overlapsOf } from "./witness.js";

const REPLICAS = 3;

/** How long the replicas may need for the remaining work, in ms. Only a failed run waits that long. */
const SETTLED_WITHIN = 180_000;

/** The options of a kill run. Times in ms. */
export interface KillRun {
  readonly kind: StoreKind;
  readonly length: number;
  /** From one kill to the next, and how long a body takes. */
  readonly between: number;
  readonly takes: number;
  /** How long no replica is running. */
  readonly down: number;
}

/** The result: the faults, and the number of everything. */
export interface KillRunResult {
  readonly faults: readonly string[];
  readonly kills: number;
  readonly ticks: Readonly<Record<string, number>>;
  readonly runs: number;
  readonly attempts: number;
  readonly lines: number;
}

/**
 * Three replicas run schedules, and one of them is killed again and again. Then all are killed at once, and
 * no replica runs for a while. At the end every tick must have its outcome, and no two bodies of a job may
 * have overlapped.
 */
export async function killRun(it: KillRun): Promise<KillRunResult> {
  const folder = mkdtempSync(join(tmpdir(), "ojm-kill-run-"));
  mkdirSync(join(folder, "store"));
  const wishes = { workers: 1, folder: join(folder, "store"), smallDisk: false, slowNetwork: false, clock: undefined };
  const store = await it.kind.start(wishes);
  const channel = { type: it.kind.type, args: store.directArgs };
  const replicas = new Replicas({ chJobs: channel, chLocks: channel }, join(folder, "witness.jsonl"), it.takes);
  try {
    return await replicas.live(it);
  } finally {
    replicas.killAll();
    await store.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

class Replicas {
  readonly #options: JobManagerOptions;
  readonly #witness: string;
  readonly #takes: number;
  readonly #alive: ChildProcess[] = [];
  #stderr = "";

  constructor(options: JobManagerOptions, witness: string, takes: number) {
    this.#options = options;
    this.#witness = witness;
    this.#takes = takes;
    writeFileSync(witness, "");
  }

  async live({ length, between, down }: KillRun): Promise<KillRunResult> {
    await this.#startAll();
    const end = Date.now() + length;
    let kills = 0;
    for (; Date.now() < end; kills++) {
      await pause(between);
      await this.#kill(await this.#victim(kills));
      await this.#start();
    }
    const from = Date.now() - EVERY;
    await Promise.all([...this.#alive].map((replica) => this.#kill(replica)));
    await pause(down);
    await this.#startAll();
    // The first decisions after the pause are about all missed ticks.
    const to = Date.now() + EVERY;
    const evidence = await this.#settled({ from, to });
    for (const replica of [...this.#alive]) await this.#end(replica);
    return this.#judge(evidence, kills);
  }

  killAll(): void {
    for (const replica of this.#alive) replica.kill("SIGKILL");
  }

  async #startAll(): Promise<void> {
    await Promise.all(Array.from({ length: REPLICAS }, () => this.#start()));
  }

  async #start(): Promise<void> {
    const args = [...nodeArgs("replica"), JSON.stringify(this.#options), this.#witness, `${this.#takes}`];
    const replica = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "pipe", "ipc"] });
    replica.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.#alive.push(replica);
    await once(replica, "message");
  }

  async #kill(replica: ChildProcess): Promise<void> {
    replica.kill("SIGKILL");
    await this.#gone(replica);
  }

  async #end(replica: ChildProcess): Promise<void> {
    replica.kill("SIGTERM");
    await this.#gone(replica);
  }

  async #gone(replica: ChildProcess): Promise<void> {
    if (replica.exitCode === null && replica.signalCode === null) await once(replica, "exit");
    this.#alive.splice(this.#alive.indexOf(replica), 1);
  }

  /** Every second time, it is a replica with a running body. */
  async #victim(kills: number): Promise<ChildProcess> {
    const busy = kills % 2 === 0 ? linesOf(readFileSync(this.#witness, "utf8")).at(-1)?.pid : undefined;
    const any = this.#alive[kills % this.#alive.length] as ChildProcess;
    return this.#alive.find(({ pid }) => pid === busy) ?? any;
  }

  /** Waits until every schedule has decided on all ticks up to `to`, and has nothing left to run. */
  async #settled(down: Evidence["down"]): Promise<Evidence[]> {
    await using manager = await patiently(() => openJobManager(this.#options));
    await using scheduler = openScheduler(manager);
    const end = Date.now() + SETTLED_WITHIN;
    for (;;) {
      const evidence = await Promise.all(
        Object.keys(policies).map(async (policy): Promise<Evidence> => {
          const all = (await collect<ScheduleTick>(scheduler.ticks(policy))).reverse();
          // A waiting tick has no outcome yet.
          const ticks = all.filter(({ outcome }) => outcome !== "waiting");
          const records = (await collect<RunRecord>(manager.history({ name: policy }))).reverse();
          return { policy: policy as Policy, down, ...upTo(down.to, ticks, records) };
        }),
      );
      const waits = evidence.some(({ ticks, records }) => !isSettled(down.to, ticks, records));
      if (!waits || Date.now() > end) return evidence;
      await pause(500);
    }
  }

  #judge(evidence: readonly Evidence[], kills: number): KillRunResult {
    const lines = linesOf(readFileSync(this.#witness, "utf8"));
    const faults = evidence.flatMap((it) => faultsOf(it).map((fault) => `${it.policy}: ${fault}`));
    const done = new Set(lines.flatMap(({ what, run }) => (what === "done" ? [run] : [])));
    for (const { id, status } of evidence.flatMap(({ records }) => records)) {
      if (status === "completed" && !done.has(id)) faults.push(`${id} completed, and its body did not say so`);
    }
    if (this.#stderr !== "") faults.push(`a replica wrote: ${this.#stderr.slice(0, 2_000)}`);
    const records = evidence.flatMap((it) => it.records);
    return {
      faults: [...overlapsOf(lines), ...faults],
      kills,
      ticks: outcomesOf(evidence.flatMap(({ ticks }) => ticks)),
      runs: records.filter(({ attempt = 1 }) => attempt === 1).length,
      attempts: records.length,
      lines: lines.length,
    };
  }
}

/** The ticks up to a time, and their runs: later ones may still be running. */
function upTo(
  to: number,
  ticks: readonly ScheduleTick[],
  records: readonly RunRecord[],
): Pick<Evidence, "ticks" | "records"> {
  return { ticks: ticks.filter(({ at }) => at <= to), records: records.filter(({ tick = 0 }) => tick <= to) };
}

function isSettled(to: number, ticks: readonly ScheduleTick[], records: readonly RunRecord[]): boolean {
  const last = ticks.at(-1);
  if (last === undefined || (last.until ?? last.at) < to - EVERY) return false;
  const completed = new Set(records.filter(({ status }) => status === "completed").map(({ tick }) => tick));
  return ticks.every(({ at, outcome }) => outcome !== "run" || completed.has(at));
}

function outcomesOf(ticks: readonly ScheduleTick[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome, reason, count = 1 } of ticks) {
    const what = reason === undefined ? outcome : `${outcome} ${reason}`;
    counts[what] = (counts[what] ?? 0) + count;
  }
  return counts;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
