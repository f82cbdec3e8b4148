import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type JobManagerOptions, openJobManager, type RunRecord } from "@ojm/core";
import { openScheduler, type ScheduleTick } from "@ojm/schedule";
import { nodeArgs } from "../run/entry.js";
import { patiently } from "../scene/patiently.js";
import type { StoreKind } from "../stores/store.js";
import { settledItems } from "../validate/item-stock.js";
import { endsOf } from "../validate/laws/items.js";
import { type Evidence, faultsOf } from "./judge.js";
import { EVERY, type Policy, policies } from "./policies.js";
import { linesOf, overlapsOf, type WitnessLine } from "./witness.js";

const REPLICAS = 3;

/** How long the replicas may need for the remaining work, in ms. Only a failed run waits that long. */
const SETTLED_WITHIN = 180_000;

export const works = ["schedules", "queue"] as const;
type Work = (typeof works)[number];

/** The options of a kill run. Times in ms. */
export interface KillRun {
  readonly kind: StoreKind;
  /** What the replicas run. */
  readonly work: Work;
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
  readonly ticks?: Readonly<Record<string, number>>;
  /** How many ticks were run, or items added. */
  readonly runs?: number;
  readonly items?: number;
  readonly attempts: number;
  readonly lines: number;
}

/**
 * Three replicas run schedules, or add and handle the items of a queue, and one of them is killed again and
 * again. Then all are killed at once, and no replica runs for a while. At the end every tick must have its
 * outcome, every item must be done once, and no two bodies of a job or of an item may have overlapped.
 */
export async function killRun(it: KillRun): Promise<KillRunResult> {
  const folder = mkdtempSync(join(tmpdir(), "ojm-kill-run-"));
  // PostgreSQL does not run as root.
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, "store"));
  const wishes = { workers: 1, folder: join(folder, "store"), smallDisk: false, slowNetwork: false, clock: undefined };
  const store = await it.kind.start(wishes);
  const channel = { type: it.kind.type, args: store.directArgs };
  const replicas = new Replicas({ chJobs: channel, chLocks: channel }, join(folder, "witness.jsonl"), it);
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
  readonly #work: Work;
  /** Whether the next replicas add items. */
  #adds = true;
  readonly #alive: ChildProcess[] = [];
  #stderr = "";

  constructor(options: JobManagerOptions, witness: string, { takes, work }: KillRun) {
    this.#options = options;
    this.#witness = witness;
    this.#takes = takes;
    this.#work = work;
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
    this.#adds = false;
    await this.#startAll();
    // The first decisions after the pause are about all missed ticks.
    const to = Date.now() + EVERY;
    const result =
      this.#work === "queue" ? await this.#judgeItems() : this.#judgeTicks(await this.#settled({ from, to }));
    for (const replica of [...this.#alive]) await this.#end(replica);
    const said = this.#stderr === "" ? [] : [`a replica wrote: ${this.#stderr.slice(0, 2_000)}`];
    return {
      ...result,
      kills,
      faults: [...overlapsOf(this.#lines), ...result.faults, ...said],
      lines: this.#lines.length,
    };
  }

  killAll(): void {
    for (const replica of this.#alive) replica.kill("SIGKILL");
  }

  async #startAll(): Promise<void> {
    await Promise.all(Array.from({ length: REPLICAS }, () => this.#start()));
  }

  async #start(): Promise<void> {
    const args = [...nodeArgs("replica"), JSON.stringify(this.#options), this.#witness, `${this.#takes}`, this.#work];
    if (this.#adds) args.push("adds");
    const replica = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "pipe", "ipc"] });
    replica.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.#alive.push(replica);
    const ended = once(replica, "exit").then(() => {
      throw new Error(`a replica ended before it was ready: ${this.#stderr}`);
    });
    await Promise.race([once(replica, "message"), ended]);
    ended.catch(() => {});
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
    const busy = kills % 2 === 0 ? this.#lines.at(-1)?.pid : undefined;
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

  get #lines(): WitnessLine[] {
    return linesOf(readFileSync(this.#witness, "utf8"));
  }

  /** The runs whose bodies said that they were done. */
  get #done(): ReadonlySet<string> {
    return new Set(this.#lines.flatMap(({ what, run }) => (what === "done" ? [run] : [])));
  }

  async #judgeItems(): Promise<Omit<KillRunResult, "kills" | "lines">> {
    await using manager = await patiently(() => openJobManager(this.#options));
    const stock = await settledItems(manager);
    const added = [...new Set(this.#lines.flatMap(({ what, name }) => (what === "added" ? [name] : [])))];
    const done = this.#done;
    const unsaid = stock.done.filter(([, run]) => !done.has(run));
    return {
      faults: [
        ...endsOf(added, stock, false),
        ...stock.dead.map((item) => `the item ${item} is dead`),
        ...unsaid.map(([item, run]) => `the item ${item} is done by ${run}, and its body did not say so`),
      ],
      // With those that a killed replica had added without noting it.
      items: stock.done.length,
      attempts: stock.runs.length,
    };
  }

  #judgeTicks(evidence: readonly Evidence[]): Omit<KillRunResult, "kills" | "lines"> {
    const faults = evidence.flatMap((it) => faultsOf(it).map((fault) => `${it.policy}: ${fault}`));
    const done = this.#done;
    for (const { id, status } of evidence.flatMap(({ records }) => records)) {
      if (status === "completed" && !done.has(id)) faults.push(`${id} completed, and its body did not say so`);
    }
    const records = evidence.flatMap((it) => it.records);
    return {
      faults,
      ticks: outcomesOf(evidence.flatMap(({ ticks }) => ticks)),
      runs: records.filter(({ attempt = 1 }) => attempt === 1).length,
      attempts: records.length,
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
