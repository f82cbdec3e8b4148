import type { StockRecord } from "../../scene/events.js";
import type { Scene } from "../../scene/scene.js";
import { lostItsLock, takenBy, wasInTrouble } from "../excuse.js";
import type { Closing } from "../record-watch.js";
import { beginningOf, leaseEnd, type ObservedRun } from "../run-of.js";
import { ASKED_WITHIN, type Evidence, type Violation } from "../verdict.js";

const CLOSED = ["completed", "skipped", "failed", "timeout", "cancelled", "lost"];

/** How many loops a process has. Each may have requested a lock when the process was killed. */
const LOOPS = 2;

/** Each run has one record, closed once, with the status that its caller got. */
export function judgeRecords(evidence: Evidence): Violation[] {
  const { runs, scene, stock, closings } = evidence;
  if (stock === undefined) return [];
  const violations: Violation[] = [];
  const wrong = (text: string, t?: number): void =>
    void violations.push({ law: "one end, the right one", text, ...(t !== undefined && { t }) });
  const records = statusesOf(scene, stock.records);
  for (const run of runs) {
    if (run.settled !== undefined && acknowledgedByStale(run.settled.t, scene)) continue;
    // The record was lost with the store. Such a store restarts its fences, so a record with this fence
    // belongs to another run.
    if (scene.dataLost !== undefined && !scene.kind.outgrowsLoss && run.since <= scene.dataLost.to) continue;
    const statuses = records.get(`${run.name} ${run.fence}`) ?? [];
    const [status] = statuses;
    const what = `the run of ${run.name} with fence ${run.fence} in worker ${run.member.index}`;
    if (status === undefined) {
      if (!wentWithTheStore(run.since, scene)) wrong(`${what} has no record`, run.enter);
      continue;
    }
    if (statuses.length > 1) wrong(`${what} has ${statuses.length} records`, run.enter);
    const outcome = run.settled?.outcome ?? "nothing";
    if (!recordedAs(scene, run, outcome).includes(status))
      wrong(`${what}: its caller received ${outcome}, its record says ${status}`, run.enter);
  }
  for (const { text, t } of recordsWithoutRun(evidence)) wrong(text, t);
  // A forced unlock returns the record as it closed it: the store must agree.
  for (const { name, fence, t } of scene.members.flatMap((member) => member.all("unlocked"))) {
    const [status] = records.get(`${name} ${fence}`) ?? [];
    if (fence === undefined || status === "cancelled" || wentWithTheStore(t, scene)) continue;
    wrong(
      `the run of ${name} with fence ${fence} was cancelled by force, and its record says ${status ?? "nothing"}`,
      t,
    );
  }
  for (const [key, all] of closings) {
    const lasting = all.filter(({ t }) => !wentWithTheStore(t, scene) && !wasAnnouncedByStale(t, scene));
    if (lasting.length < 2) continue;
    const [first] = lasting as [Closing];
    const how = lasting.map(({ status, t }) => `${status} after ${(t - first.t).toFixed(1)} ms`).join(", ");
    wrong(`the record ${key} was closed ${lasting.length} times: ${how}`, lasting.at(-1)?.t);
  }
  return violations;
}

/** The statuses of the records, by name and fence. */
function statusesOf(scene: Scene, records: readonly StockRecord[]): Map<string, string[]> {
  const [older, newer] = [new Map<string, string[]>(), new Map<string, string[]>()];
  for (const record of records) {
    const key = `${record.lock ?? record.name} ${record.fence}`;
    const among = isFromBeforeTheLoss(scene, record) ? older : newer;
    among.set(key, [...(among.get(key) ?? []), record.status]);
  }
  return new Map([...older, ...newer]);
}

/**
 * Whether the run began before the store lost its data, in a store that then restarts its fences: a later run
 * may have the same fence. The process that closed the older run after that wrote its record again, from the
 * data of its lock.
 */
function isFromBeforeTheLoss(scene: Scene, record: StockRecord): boolean {
  if (scene.kind.outgrowsLoss) return false;
  const began = beginningOf(scene, record.startTime);
  return scene.dataLost !== undefined && began !== undefined && began <= scene.dataLost.to;
}

/** The statuses that the record of a run may have if its caller got this outcome. */
function recordedAs(scene: Scene, run: ObservedRun, outcome: string): readonly string[] {
  if (run.record !== undefined) return recordedUnreported(scene, run);
  const { member, since, settled, timeout } = run;
  const at = settled?.t ?? Infinity;
  const isOver = lostItsLock(scene, run) || wasInTrouble(scene, member, since, at);
  // A forced unlock closes the run. Other processes close the runs that they find without a lock.
  const closedByOthers = [
    ...(isOver ? ["lost"] : []),
    ...(takenBy(scene, run, at) === undefined ? [] : ["cancelled"]),
    ...(at >= since + timeout ? ["timeout"] : []),
  ];
  const [stopping] = member.all("stopping");
  const stops = stopping !== undefined && at >= stopping.t;
  if (outcome === "completed") return ["completed"];
  if (outcome === "failed") return ["failed", ...closedByOthers];
  if (outcome === "TIMEOUT") return ["timeout", ...closedByOthers];
  // The lock may stay in the store until a forced unlock takes it.
  if (outcome === "LOST" && takenBy(scene, run, Infinity) !== undefined)
    return ["lost", "cancelled", ...closedByOthers];
  if (outcome === "LOST") return ["lost", ...closedByOthers];
  if (outcome === "CANCELLED") return stops ? ["cancelled", ...closedByOthers] : [];
  // The run ended with its process, or an answer was lost.
  if (outcome === "nothing") return member.killedAt === undefined ? [] : CLOSED;
  return stops || wasInTrouble(scene, member, since, at) ? CLOSED : [];
}

/**
 * The statuses that the record may have for a run whose end is not reported to a caller, by the outcome of
 * its body.
 */
function recordedUnreported(scene: Scene, run: ObservedRun): readonly string[] {
  const { member, name, since, exit = Infinity, fails, skips, signal } = run;
  if (member.killedAt !== undefined || signal !== undefined || member.all("stopping").length > 0) return CLOSED;
  if (lostItsLock(scene, { ...run, settled: { t: exit, outcome: "" } })) return CLOSED;
  if (wasInTrouble(scene, member, since, exit)) return CLOSED;
  const cancels = scene.members.flatMap((it) => it.all("cancelling"));
  const isAsked = cancels.some((cancel) => cancel.name === name && cancel.t <= exit + ASKED_WITHIN);
  return [fails === true ? "failed" : skips === true ? "skipped" : "completed", ...(isAsked ? ["cancelled"] : [])];
}

/**
 * Records of runs that no process had: a lock was requested, and the answer of the store did not arrive. A
 * body never closes such a record.
 */
function recordsWithoutRun({
  runs,
  scene,
  stock,
}: Evidence): { readonly text: string; readonly t: number | undefined }[] {
  const known = new Set(
    [...runs, ...scene.members.flatMap((it) => it.all("granted"))].map((it) => `${it.name} ${it.fence}`),
  );
  const strays = (stock?.records ?? []).filter(
    (record) => !known.has(`${record.name} ${record.fence}`) && !isFromBeforeTheLoss(scene, record),
  );
  const isPlain = runs.length > 0 && runs.every(({ session }) => session === undefined);
  const killed = scene.members.filter(({ killedAt }) => killedAt !== undefined).length * LOOPS;
  const found: ReturnType<typeof recordsWithoutRun> = [];
  for (const name of scene.names) {
    const own = strays.filter((record) => record.name === name);
    const asked = scene.members.flatMap((it) => it.all("unanswered")).filter((it) => it.name === name).length;
    for (const record of own) {
      const { fence, status } = record;
      if (status !== "completed" && status !== "failed") continue;
      const text = `the record of ${name} with fence ${fence} says ${status}, and no process had that lock`;
      found.push({ text, t: beginningOf(scene, record.startTime) });
    }
    if (isPlain || own.length <= asked + killed) continue;
    const fences = own.map(({ fence }) => fence).join(", ");
    found.push({
      text: `there are records of ${name} whose lock no process had: fences ${fences}; ${asked} attempts were not answered`,
      t: own[0] && beginningOf(scene, own[0].startTime),
    });
  }
  return found;
}

/**
 * Whether a write to a record at that moment is lost with the store. A process without an answer by then
 * writes it again.
 */
function wentWithTheStore(t: number, { kind, dataLost }: Scene): boolean {
  return dataLost !== undefined && !kind.apart && t <= dataLost.to;
}

/** Whether a master that had been replaced may have acknowledged it, alone. */
function acknowledgedByStale(t: number, scene: Scene): boolean {
  return scene.kind.clustered?.acknowledgesAlone === true && isWithin(t, scene.staleRecords);
}

/** Whether a master that had been replaced may have announced it. */
function wasAnnouncedByStale(t: number, { staleRecords, lateNews }: Scene): boolean {
  return isWithin(t, staleRecords) || isWithin(t, lateNews);
}

/** An announcement may take as long as the answer to a query. */
function isWithin(t: number, time: Scene["lateNews"]): boolean {
  return time !== undefined && t >= time.from && t <= time.to + ASKED_WITHIN;
}

/**
 * No run loses a lock whose lease has not ended, unless a fault took it away: losers, waiters and newcomers
 * do not touch it.
 */
export function judgeLosses({ runs, scene }: Evidence): Violation[] {
  const violations: Violation[] = [];
  for (const run of runs) {
    const lostAt = run.signal?.code === "LOST" ? run.signal.t : undefined;
    const t = lostAt ?? (run.settled?.outcome === "LOST" ? run.settled.t : undefined);
    if (t === undefined) continue;
    const [stopping] = run.member.all("stopping");
    if (stopping !== undefined && t >= stopping.t) continue;
    if (takenBy(scene, run, t) !== undefined) continue;
    const { earliest } = leaseEnd(run, t, scene);
    // In a store of one process, a run that exceeds its time gets `TIMEOUT`, never `LOST`.
    if (scene.kind.shared && t >= earliest) continue;
    const why = (lostAt === undefined ? run.settled : run.signal)?.why ?? "no reason was given";
    const text = `worker ${run.member.index} lost ${run.name} with fence ${run.fence} ${(earliest - t).toFixed(1)} ms before its lease would have ended: ${why}`;
    violations.push({ law: "no loss without a reason", text, t });
  }
  return violations;
}
