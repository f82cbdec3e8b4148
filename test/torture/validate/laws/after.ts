import { covered, type Stretch } from "../../scene/lag-watch.js";
import type { Scene } from "../../scene/scene.js";
import { beginningOf, type ObservedRun } from "../run-of.js";
import type { Evidence, Violation } from "../verdict.js";

/** How long a process may stay after it has closed everything, in ms. */
const EXIT = 2_000;

/**
 * The longest time until a name was locked again, in ms, from when a worker wanted it. Suspensions do not
 * count. `undefined` if a name is not locked again yet, or no recovery is expected.
 */
export function recoveryOf(evidence: Pick<Evidence, "injected" | "runs" | "scene">): number | undefined {
  const { injected, runs, scene } = evidence;
  if (injected === undefined) return undefined;
  const { since, names } = injected;
  const times = names.map((name) => {
    const next = runs.find((run) => run.name === name && run.enter > since && !isHeld(run));
    if (next === undefined) return undefined;
    const from = Math.min(next.enter, keptUntil(evidence, name));
    const lags = [...next.member.all("lag"), ...scene.lags.lags];
    // Traffic through the proxies of this process stops while this process is suspended.
    return wanted(evidence, name, from, next.enter).reduce(
      (sum, { from, to }) => sum + (to - from) - covered(lags, from, to),
      0,
    );
  });
  const known = times.filter((time): time is number => time !== undefined);
  return known.length === names.length ? Math.max(...known) : undefined;
}

/**
 * When the last run ended whose lease survived, because the fault struck others: it had the lock when the
 * fault struck, and its signal did not fire, or only asked it to end.
 */
function keptUntil({ injected, runs }: Pick<Evidence, "injected" | "runs">, name: string): number {
  const { since = 0, struck } = injected ?? {};
  const had = runs.filter((run) => run.name === name && run.enter <= since && run.member !== struck);
  // A process that closes keeps its locks until its bodies have ended.
  const kept = had.filter(({ signal }) => signal === undefined || signal.code === "CLOSING");
  return Math.max(since, ...kept.map(({ exit }) => exit ?? since));
}

function isHeld({ member, id }: ObservedRun): boolean {
  return member.all("enter").some((enter) => enter.id === id && enter.held);
}

/**
 * The times between two moments in which a worker that the fault did not strike wanted the name. A worker
 * that finds the lock taken requests it again, whatever else it has to do, until it is asked to end.
 */
function wanted(
  { injected, scene }: Pick<Evidence, "injected" | "scene">,
  name: string,
  from: number,
  to: number,
): Stretch[] {
  const { since = 0, struck } = injected ?? {};
  // All workers always want all items.
  if (scene.mode === "queue") return [{ from, to }];
  const times = scene.members.flatMap((member): Stretch[] => {
    if (member === struck) return [];
    const settled = new Map(member.all("settled").map(({ id, t }) => [id, t]));
    // A run that already had the lock no longer wants it, although its call has not settled.
    const had = new Set(member.all("enter").flatMap(({ id, t }) => (t <= since ? [id] : [])));
    const wants = (id: string): boolean => !had.has(id) && (settled.get(id) ?? Infinity) > since;
    const asks = member.all("asked").filter((ask) => ask.name === name && wants(ask.id));
    const [stopping] = member.all("stopping");
    const first = Math.max(from, Math.min(...asks.map(({ t }) => t)));
    return first < to ? [{ from: first, to: Math.min(to, stopping?.t ?? Infinity) }] : [];
  });
  return union(times);
}

/** The same times without overlaps. */
function union(times: readonly Stretch[]): Stretch[] {
  const all: Stretch[] = [];
  for (const { from, to } of [...times].sort((a, b) => a.from - b.from)) {
    const last = all.at(-1);
    if (to <= from) continue;
    if (last === undefined || from > last.to) all.push({ from, to });
    else if (to > last.to) all[all.length - 1] = { from: last.from, to };
  }
  return all;
}

export function judgeRecovery(evidence: Evidence): Violation[] {
  const { injected } = evidence;
  const recovery = recoveryOf(evidence);
  if (injected === undefined) return [];
  const { since, bound = Infinity } = injected;
  if (recovery === undefined) return [{ law: "recovers in time", text: "a lock was never taken again", t: since }];
  if (recovery <= bound) return [];
  const text = `it took ${recovery.toFixed(0)} ms until the lock was taken again, and may take ${bound.toFixed(0)}`;
  return [{ law: "recovers in time", text, t: since }];
}

/** Nothing is left in the store, every call settles, and no process stays. */
export function judgeRest({ scene, stock }: Evidence): Violation[] {
  const violations: Violation[] = [];
  for (const left of stock?.left ?? []) {
    if (!mayStray(scene, left)) violations.push({ law: "nothing left", text: left });
  }
  for (const member of scene.members) {
    for (const { text, t } of member.all("error")) violations.push({ law: "no error", text, t });
    if (member.killedAt !== undefined) continue;
    const settled = new Set(member.all("settled").map(({ id }) => id));
    for (const { id, name, t } of member.all("asked")) {
      if (settled.has(id)) continue;
      violations.push({ law: "all settle", text: `run ${id} of ${name} was requested and never settled`, t });
    }
    violations.push(...lateExits(scene, member.index));
  }
  return violations;
}

/**
 * How exactly a record gives the time at which its run was requested, on the clock of the journals, in ms.
 */
const ROUNDED = 5;

/**
 * Whether it is an open run from a time in which its lock was lost before its record arrived: no lock leads
 * to such a record.
 */
function mayStray(scene: Scene, left: string): boolean {
  const { strayRecords } = scene;
  const [, startTime] = /^the run (\d+) of .* is open/.exec(left) ?? [];
  const began = startTime === undefined ? undefined : beginningOf(scene, Number(startTime));
  if (strayRecords === undefined || began === undefined) return false;
  return began >= strayRecords.from - ROUNDED && began <= strayRecords.to + ROUNDED;
}

function lateExits({ members, lags }: Scene, index: number): Violation[] {
  const [closed] = members[index]?.all("closed") ?? [];
  const end = members[index]?.endedAt;
  if (closed === undefined || end === undefined) return [];
  // A body that ignores its signal keeps its process alive.
  const from = Math.max(closed.t, ...(members[index]?.all("exit") ?? []).map(({ t }) => t));
  const stayed = end - from - covered(lags.lags, from, end);
  if (stayed <= EXIT) return [];
  const text = `worker ${index} stayed for ${stayed.toFixed(0)} ms after it had closed everything`;
  return [{ law: "exits by itself", text, t: closed.t }];
}
