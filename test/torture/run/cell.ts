import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type OpenOptions, openChannel } from "@ojm/core";
import { seeded } from "../../../packages/core/src/testing-kit/test-clock.js";
import { whyNoForwarder } from "../cluster/net/forwarder.js";
import type { Fault, Injected } from "../faults/fault.js";
import { timeline } from "../report/timeline.js";
import type { Harm, Mode, Stock, Version } from "../scene/events.js";
import { schedules } from "../scene/jobs.js";
import { Member } from "../scene/member.js";
import { patiently } from "../scene/patiently.js";
import { firstVersion, otherVersion, Rollout, replacements } from "../scene/rollout.js";
import { NotSo, PATIENCE, Scene } from "../scene/scene.js";
import { clockLibrary } from "../scene/wall-clock.js";
import { mountSmallDisk, unmount, whyNoSmallDisk } from "../stores/disk.js";
import { ServerClock, whyNoServerClock } from "../stores/server-clock.js";
import type { StoreKind, TortureStore } from "../stores/store.js";
import { doHarm, type Struck } from "../traffic/harm.js";
import { judgeAll } from "../validate/all.js";
import { takeStockElsewhere } from "../validate/both-stocks.js";
import { forcedUnlocks, isWhole } from "../validate/excuse.js";
import { recoveryOf } from "../validate/laws/after.js";
import { judgeHolders } from "../validate/laws/holders.js";
import { RecordWatch } from "../validate/record-watch.js";
import { runsOf } from "../validate/run-of.js";
import { takeStock } from "../validate/stock.js";
import type { Evidence, Violation } from "../validate/verdict.js";

/**
 * How many processes contend in a cell, and for which names. In a store of one process, as many managers
 * contend.
 */
const WORKERS = 3;
const namesOf = (mode: Mode): string[] => (mode === "permit" || mode === "rate" ? ["a", "b", "c"] : ["a", "b"]);

/**
 * How much longer the recovery of a name may take, in ms: others may have the permits or tokens first, and a
 * worker checks the items of others only now and then.
 */
const LINE: Partial<Readonly<Record<Mode, number>>> = { permit: 1_000, rate: 3_000, queue: 8_000 };
const SMALL_DISK = 24;

/** One cell of the matrix. */
export interface Cell {
  readonly kind: StoreKind;
  readonly fault: Fault;
  readonly mode: Mode;
  readonly seed: number;
  /** In ms. */
  readonly ttl: number;
  /** The bug that is planted in all workers. */
  readonly bug?: string;
  /** The folder of the programs of the base version, if half of the workers run it. */
  readonly base?: string;
  /** What a recovery may take beyond its bound, in ms, where other work keeps disk and processors busy. */
  readonly slack?: number;
}

export interface CellResult {
  readonly cell: Cell;
  /** Why the cell does not apply, or cannot run here. */
  readonly skipped?: string;
  readonly runs: number;
  /** How many of them were in workers of the base version. */
  readonly baseRuns: number;
  readonly overlaps: number;
  readonly excusedOverlap: number;
  readonly forcedOverlap: number;
  readonly worstSignal: number | undefined;
  readonly recovery: number | undefined;
  readonly bound: number | undefined;
  readonly violations: readonly Violation[];
  readonly timeline: string;
}

/** Why a cell does not run; `undefined` if it does. */
export function whySkipped({
  kind,
  fault,
  mode,
  base,
}: Pick<Cell, "kind" | "fault" | "mode" | "base">): string | undefined {
  const why =
    (base === undefined ? undefined : whyNotMixed(kind, fault, mode)) ?? fault.whyNot(kind, mode) ?? kind.missing;
  if (why !== undefined) return why;
  if (mode === "queue" && kind.name === "redis-cluster") return "n/a: a queue needs all channels on one node";
  if (mode === "tick" && fault.fakeClock === "server") return "n/a: a hold ends by the clock of the server";
  if (fault.fakeClock === "server") return whyNoServerClock();
  if (fault.fakeClock === "workers" && clockLibrary() === undefined) {
    return "libfaketime is not installed: apt-get install faketime";
  }
  if (fault.slowNetwork) return whyNoForwarder();
  return fault.smallDisk ? whyNoSmallDisk(join(tmpdir(), `ojm-disk-${process.pid}`)) : undefined;
}

function whyNotMixed({ lasting, clustered, isNew }: StoreKind, { name }: Fault, mode: Mode): string | undefined {
  if (mode in LINE) return "n/a: the base version has no permits, rates and queues";
  if (!lasting) return "n/a: one process has one version, and nothing outlives it";
  if (isNew) return "n/a: the base version does not have this store";
  if (clustered !== undefined) return "n/a: the workers are on hosts of their own";
  return name === "deploy" ? "n/a: each mixed cell is a deploy" : undefined;
}

/** Runs a cell and judges it. Throws only if the harness itself fails. */
export async function runCell(asked: Cell): Promise<CellResult> {
  const cell = { ...asked, ttl: Math.max(asked.ttl, asked.fault.ttl ?? 0) };
  const skipped = whySkipped(cell);
  if (skipped !== undefined) return { ...empty(cell), skipped };
  const folder = mkdtempSync(join(tmpdir(), "ojm-torture-"));
  // A server may run as another user.
  chmodSync(folder, 0o755);
  const disk = join(folder, "store");
  mkdirSync(disk);
  const { kind } = cell;
  if (cell.fault.smallDisk) mountSmallDisk(disk, kind.smallDisk ?? SMALL_DISK);
  let store: TortureStore | undefined;
  try {
    const clock = cell.fault.fakeClock === "server" ? new ServerClock(folder) : undefined;
    const wishes = { smallDisk: cell.fault.smallDisk === true, slowNetwork: cell.fault.slowNetwork === true };
    store = await kind.start({ workers: waysOf(cell), folder: disk, clock, ...wishes });
    return await withStore(cell, store, folder);
  } finally {
    await store?.stop();
    if (cell.fault.smallDisk) unmount(disk);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function withStore(cell: Cell, store: TortureStore, folder: string): Promise<CellResult> {
  const scene = sceneOf(cell, store, folder);
  const watch = cell.kind.shared ? await RecordWatch.start(recordsOf(cell, store)) : undefined;
  const { mode } = cell;
  const troubles: Violation[] = [];
  let injected: Injected | undefined;
  let stocks: Stock[] = [];
  try {
    for (let i = 0; i < (cell.kind.shared ? WORKERS : 1); i++) {
      const version = cell.base === undefined ? "current" : firstVersion(cell.seed, i);
      scene.members.push(spawnMember(cell, store, folder, i, version));
    }
    await scene.until(() => scene.members.every((member) => member.all("ready").length > 0), "all workers are ready");
    for (const member of scene.members) member.order({ order: "go" });
    await scene.until(() => hasWarmedUp(scene), "every worker has run something");
    const rollout = cell.base === undefined ? undefined : new Rollout(scene, cell.seed);
    await rollout?.before();
    const injecting = struck(cell.fault, scene);
    injected = withSlack(await (rollout?.during(injecting) ?? injecting), cell);
    await rollout?.after();
    const healed = scene.note(`the fault ${rollout === undefined ? "is" : "and the deploy are"} over`);
    await scene.until(() => goesOn(scene, healed), "every worker completes a run again");
    await scene.until(() => isHadAgain(scene, injected), "the locks are taken again");
    if (mode === "queue") await scene.until(() => handlesAgain(scene, healed), "every worker handles an item again");
    if (ticksGoOn(cell, scene)) await scene.until(() => areRunAgain(scene, healed), "every schedule runs a tick again");
    stocks = await theEnd(cell, store, scene);
  } catch (error) {
    // A fault that did not strike proves nothing: the harness has failed.
    if (error instanceof NotStruck) throw error;
    troubles.push({ law: "all settle", text: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  } finally {
    await Promise.all(scene.living.map((member) => member.kill()));
    scene.refresh();
    await watch?.close();
    scene.lags.stop();
  }
  checkVersions(cell, scene);
  scene.excuses.push(...forcedUnlocks(scene));
  const [stock, otherStock] = stocks;
  const closings = watch?.closings ?? new Map();
  const evidence = { scene, runs: runsOf(scene.members), injected, stock, otherStock, closings };
  return judge(cell, evidence, troubles);
}

/** Throws if a worker did not import the packages of its version: the cell would prove nothing. */
function checkVersions({ base }: Cell, { members }: Scene): void {
  const packages = base === undefined ? undefined : pathToFileURL(join(base, "../node_modules/")).href;
  for (const member of members) {
    for (const { core } of member.all("ready")) {
      const isBase = packages !== undefined && core.startsWith(packages);
      if (isBase !== (member.version === "base"))
        throw new Error(`worker ${member.index}, of the ${member.version} version, imported ${core}`);
    }
  }
}

/** The fault did not strike. */
class NotStruck extends Error {}

async function struck(fault: Fault, scene: Scene): Promise<Injected | undefined> {
  try {
    return await fault.inject(scene);
  } catch (error) {
    if (error instanceof NotSo) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new NotStruck(`the fault "${fault.name}" was not injected: ${why}`, { cause: error });
  } finally {
    scene.letGo();
  }
}

function withSlack(injected: Injected | undefined, { mode, slack = 0 }: Cell): Injected | undefined {
  if (injected?.bound === undefined) return injected;
  return { ...injected, bound: injected.bound + slack + (LINE[mode] ?? 0) };
}

function sceneOf(cell: Cell, store: TortureStore, folder: string): Scene {
  const { kind, mode, ttl, seed } = cell;
  const harm = async (what: Harm, name: string): Promise<Struck> => {
    if (kind.shared) {
      const { type } = kind;
      const locks = await patiently(() => openChannel("oJobManager-locks", { type, args: store.directArgs }));
      const struck = await patiently(() => doHarm(locks as never, what, name));
      await locks.close();
      return struck;
    }
    const [member] = scene.living;
    const before = member?.all("harmed").length ?? 0;
    member?.order({ order: "harm", harm: what, name });
    await scene.until(() => (member?.all("harmed").length ?? 0) > before, "the harm is done");
    return member?.all("harmed")[before] ?? {};
  };
  const spawn = (index: number, version: Version): Member => spawnMember(cell, store, folder, index, version);
  const scene: Scene = new Scene({ kind, store, mode, ttl, names: namesOf(mode), chance: seeded(seed), spawn, harm });
  return scene;
}

/** How many ways to the store there are. Workers of one way would share its faults. */
function waysOf({ base }: Cell): number {
  return base === undefined ? WORKERS : WORKERS + replacements(WORKERS);
}

function spawnMember(cell: Cell, store: TortureStore, folder: string, index: number, version: Version): Member {
  const { kind, mode, ttl, seed, bug, fault } = cell;
  const config = {
    index,
    journal: join(folder, `worker-${index}.jsonl`),
    backend: kind.type,
    args: store.args(kind.shared ? index % waysOf(cell) : 0),
    ...(store.records !== undefined && { records: store.records }),
    ttl,
    managers: kind.shared ? 1 : WORKERS,
    names: namesOf(mode),
    mode,
    seed,
    plain: fault.plain === true,
    unlocks: index === 0 || (cell.base !== undefined && !kind.shared),
    version,
    ...(bug !== undefined && { bug }),
  };
  return new Member(config, fault.fakeClock === "workers" ? clockLibrary() : undefined, {
    runOn: store.runOn?.(index % WORKERS) ?? [],
    base: cell.base,
  });
}

function hasWarmedUp({ members, names }: Scene): boolean {
  return members.every((member) => names.every((wanted) => member.all("enter").some(({ name }) => name === wanted)));
}

function goesOn({ living }: Scene, since: number): boolean {
  return living.every((member) =>
    member.all("settled").some(({ t, outcome }) => t > since && (outcome === "completed" || outcome === "failed")),
  );
}

function isHadAgain(scene: Scene, injected: Injected | undefined): boolean {
  return recoveryOf({ runs: runsOf(scene.members), injected, scene }) !== undefined || injected === undefined;
}

/** Whether the schedules still exist, and none is at a tick of a clock that was set ahead. */
function ticksGoOn({ mode, fault }: Cell, scene: Scene): boolean {
  return mode === "tick" && isWhole(scene) && fault.fakeClock === undefined;
}

function handlesAgain({ living }: Scene, since: number): boolean {
  return living.every((member) => member.all("enter").some(({ t, item }) => item !== undefined && t > since));
}

function areRunAgain({ members }: Scene, since: number): boolean {
  const begun = members.flatMap((member) => member.all("enter")).filter(({ t }) => t > since);
  return Object.keys(schedules).every((wanted) => begun.some(({ name }) => name === wanted));
}

/**
 * Stops all workers. Once they have exited, takes stock of the remaining entries in the store: in a mixed
 * cell by one version, and then by the other one.
 */
async function theEnd(cell: Cell, store: TortureStore, scene: Scene): Promise<Stock[]> {
  const { living } = scene;
  for (const member of living) member.order({ order: cell.kind.shared ? "stop" : "stock" });
  await scene.until(() => living.every(({ over }) => over), "every process exits by itself", PATIENCE);
  const chLocks = { type: cell.kind.type, args: store.directArgs };
  const options = { chJobs: recordsOf(cell, store), chLocks, ttl: cell.ttl };
  const takeBy = (version: Version): Promise<Stock> => {
    const base = version === "base" ? cell.base : undefined;
    const isHere = base === undefined && cell.kind.shared;
    return isHere ? takeStock(options, cell.mode) : takeStockElsewhere(options, cell.mode, base);
  };
  // A store of one process is taken stock of by its last worker.
  const own = living.flatMap((member) => member.all("stock")).map(({ stock }) => stock);
  const version = cell.kind.shared ? firstVersion(cell.seed, 1) : (living[0]?.version ?? "current");
  if (cell.base === undefined) return cell.kind.shared ? [await takeBy("current")] : own;
  const first = own[0] ?? (await takeBy(version));
  return [first, await takeBy(otherVersion(version))];
}

function recordsOf({ kind }: Cell, { records, directArgs }: TortureStore): OpenOptions {
  return records ?? { type: kind.type, args: directArgs };
}

async function judge(cell: Cell, evidence: Evidence, troubles: readonly Violation[]): Promise<CellResult> {
  const { scene, runs, injected } = evidence;
  const { overlaps, excusedOverlap, forcedOverlap, worstSignal } = judgeHolders(evidence);
  const all = await judgeAll(evidence, troubles);
  return {
    cell,
    runs: runs.length,
    baseRuns: runs.filter(({ member }) => member.version === "base").length,
    overlaps,
    excusedOverlap,
    forcedOverlap,
    worstSignal,
    recovery: recoveryOf(evidence),
    bound: injected?.bound,
    violations: all,
    timeline: all.length === 0 ? "" : timeline(scene, all),
  };
}

function empty(cell: Cell): CellResult {
  return {
    cell,
    runs: 0,
    baseRuns: 0,
    overlaps: 0,
    excusedOverlap: 0,
    forcedOverlap: 0,
    worstSignal: undefined,
    recovery: undefined,
    bound: undefined,
    violations: [],
    timeline: "",
  };
}
