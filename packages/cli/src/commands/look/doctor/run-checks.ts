import { type HeldLock, type JobManager, parseRunId, type RunRecord, runId } from "@ojm/core";
import { holdOf, ojmCommand, ownNameProblem, runIdOf, unlessCorrupt } from "@ojm/core/internal";
import { runsWithLock } from "../../exec/orphans.js";
import { count, type Finding, ok, problem } from "./finding.js";

/** Locks and runs that do not match. */
interface Mismatches {
  /** Locks of runs whose record is closed or missing. */
  readonly locks: readonly HeldLock[];
  /** Runs whose record says that they are running, but whose lock is not held. */
  readonly runs: readonly RunRecord[];
}

/** How long after the first check the second one comes, in ms. */
const MOMENT = 1_000;

/** Finds locks without their run, and runs without their lock. */
export async function checkRuns(manager: JobManager): Promise<Finding[]> {
  const { held, ...found } = await look(manager);
  // A run that starts or ends between two reads looks like one without a lock: it must be found twice.
  const { locks, runs } = found.locks.length + found.runs.length === 0 ? found : await lookAgain(manager, found);
  const isLine = ({ name }: HeldLock): boolean => ownNameProblem(name) !== undefined;
  const own = held.filter((lock) => !isLine(lock));
  const plain = own.filter((lock) => runIdOf(lock) === undefined && holdOf(lock) === undefined).length;
  const lines = held.length - own.length;
  const others = plain === 0 ? "" : `, of which ${plain} without a run: programs take such locks directly`;
  const waits = lines === 0 ? "" : `; runs wait for permits or rates in ${count(lines, "line")}`;
  const evidence = { held: own.length, plain, ...(lines > 0 && { lines }) };
  const findings = [ok("locks", `${count(own.length, "lock")} held${others}${waits}`, { evidence })];
  return [...findings, ...locks.map(withoutRun), ...runs.map(withoutLock)];
}

async function lookAgain(manager: JobManager, found: Mismatches): Promise<Mismatches> {
  await new Promise((resolve) => setTimeout(resolve, MOMENT));
  const again = await look(manager);
  const known = new Set([...found.locks.map(({ fence }) => fence), ...found.runs.map(({ id }) => id)]);
  return {
    locks: again.locks.filter(({ fence }) => known.has(fence)),
    runs: again.runs.filter(({ id }) => known.has(id)),
  };
}

async function look(manager: JobManager): Promise<Mismatches & { readonly held: readonly HeldLock[] }> {
  const held = await manager.heldLocks();
  const locks: HeldLock[] = [];
  for (const lock of held) {
    const ref = parseRunId(runIdOf(lock) ?? "");
    if (ref === undefined) continue;
    const record = await unlessCorrupt(manager.channels.jobs.get({ ...ref }));
    if (record?.status !== "running") locks.push(lock);
  }
  const withLock = runsWithLock(held);
  const runs: RunRecord[] = [];
  for await (const { running } of manager.jobs()) {
    if (running !== undefined && !withLock.has(runId(running))) runs.push(running);
  }
  return { held, locks, runs };
}

function withoutRun({ name, holder: { host, pid } }: HeldLock): Finding {
  const text = `"${name}" is locked by pid ${pid} on ${host} for a run that is over, or has no record`;
  const help = `look at that process; to take the lock from it: ${ojmCommand("unlock", name)}`;
  return problem("locks", text, { help, evidence: { name, host, pid } });
}

function withoutLock({ id, name, holder: { host, pid } }: RunRecord): Finding {
  const text = `${id} is "running" on ${host}, pid ${pid}, and no process holds its lock`;
  const help = `a second run of "${name}" can start now. Check that process. A process that has the store open closes the record within minutes`;
  return problem("runs", text, { help, evidence: { id, name, host, pid } });
}
