import { covered, type Stretch } from "../../scene/lag-watch.js";
import type { Excuse, Scene } from "../../scene/scene.js";
import { lockTakenBy, wasInTrouble } from "../excuse.js";
import { blocked, holdEnd, leaseEnd, type ObservedRun } from "../run-of.js";
import { ASKED_WITHIN, type Evidence, SIGNALLED_WITHIN, type Violation } from "../verdict.js";

/** The findings about two holders of one lock, and about signals. Times in ms. */
export interface Holders {
  readonly violations: readonly Violation[];
  /** How often two bodies ran at once, without a signal to either and without an excuse. */
  readonly overlaps: number;
  /**
   * The longest overlap that the fault excuses: from the start of the second body to the signal of the first.
   */
  readonly excusedOverlap: number;
  /** The longest overlap that a forced unlock excuses. */
  readonly forcedOverlap: number;
  /** The latest signal, counted from the end of its lease. */
  readonly worstSignal: number | undefined;
}

/** At any moment, each name has at most one run whose signal has not fired; and each signal fires in time. */
export function judgeHolders(evidence: Evidence): Holders {
  const violations: Violation[] = [];
  const longest = { byFault: 0, byForce: 0 };
  for (const pair of pairs(evidence)) {
    const { excused, unexcused, excuse } = overlapOf(evidence.scene, pair);
    const whose = excuse?.byForce === true ? "byForce" : "byFault";
    longest[whose] = Math.max(longest[whose], excused);
    if (unexcused <= 0) continue;
    const [first, second] = pair;
    const beyond = excused > 0 ? `, and that for ${excused.toFixed(1)} ms more than what excuses it` : "";
    const text = `two hold ${first.name}: fence ${first.fence} of worker ${first.member.index} and fence ${second.fence} of worker ${second.member.index}, for ${(excused + unexcused).toFixed(3)} ms${beyond}`;
    violations.push({ law: "one holder", text, t: second.enter });
  }
  const { worstSignal, late } = signals(evidence);
  return {
    violations: [...violations, ...late],
    overlaps: violations.length,
    excusedOverlap: longest.byFault,
    forcedOverlap: longest.byForce,
    worstSignal,
  };
}

type Pair = readonly [first: ObservedRun, second: ObservedRun];

/** The pairs of runs of one name in which the second began while the first held the lock. */
function* pairs({ runs, scene }: Evidence): Generator<Pair> {
  const inside = new Map<string, ObservedRun[]>();
  for (const run of runs) {
    const others = (inside.get(run.name) ?? []).filter((other) => heldUntil(other, run.enter, scene) > run.enter);
    for (const other of others) if (holdEnd(run) > run.enter) yield [other, run];
    inside.set(run.name, [...others, run]);
  }
}

/**
 * Until when a run must have had its lock, by what was known at `at`. A body that cleans up has had its
 * signal, so it cannot learn that its lease ended meanwhile.
 */
export function heldUntil(run: ObservedRun, at: number, scene: Scene): number {
  const end = holdEnd(run);
  if (run.signal?.code !== "CLOSING") return end;
  return Math.min(end, Math.max(run.signal.t, leaseEnd(run, at, scene).earliest));
}

/** How long two bodies ran at once, with and without an excuse. */
export function overlapOf(
  scene: Scene,
  [first, second]: Pair,
): { excused: number; unexcused: number; excuse: Excuse | undefined } {
  const from = second.enter;
  const to = Math.min(heldUntil(first, from, scene), holdEnd(second));
  const loser = loserOf(scene, first, second);
  const next = loser === first ? second : first;
  const lags = loser.member.all("lag");
  const orders = loser.member.all("computed");
  const computes = lags.filter((lag) => orders.some((order) => order.from < lag.to && lag.from < order.to));
  const excuse = lockTakenBy(scene, loser, next.enter) ?? lockTakenBy(scene, first, second.enter);
  if (excuse !== undefined) {
    const together = to - from - covered(lags, from, to);
    const excused = Math.min(together, mayLast(scene, loser, from, to));
    return { excused, unexcused: together - excused, excuse };
  }
  // A body that blocks the event loop, without a thread that renews its session, loses its lock and runs on.
  // That is not a suspension.
  const mayCompute = loser.session !== undefined || next.enter >= loser.since + loser.timeout;
  // Once its event loop is free again, the process has this long to fire the signals of all its bodies.
  const untilSignalled = computes.map((lag) => ({ from: lag.from, to: lag.to + SIGNALLED_WITHIN }));
  const stands = lags.filter((lag) => !computes.includes(lag));
  // If all workers are in one process, none is suspended while another one begins.
  const off: readonly Stretch[] = [...(scene.kind.shared ? stands : []), ...(mayCompute ? untilSignalled : [])];
  const excused = mayCompute ? covered(untilSignalled, from, to) : 0;
  return { excused, unexcused: to - from - covered(off, from, to), excuse };
}

/**
 * The run that had lost the lock: the one with the lower fence. Which one began first does not matter,
 * because its answer from the store may have come later.
 */
function loserOf({ dataLost, kind }: Scene, first: ObservedRun, second: ObservedRun): ObservedRun {
  const anew = dataLost !== undefined && !kind.outgrowsLoss;
  const secondLost = anew ? second.since < first.since : BigInt(second.fence) < BigInt(first.fence);
  return secondLost ? second : first;
}

/**
 * How long a run may continue after its lock was taken away, in ms: until the next heartbeat asks, or until
 * its lease ends if it cannot ask.
 */
function mayLast(scene: Scene, loser: ObservedRun, from: number, to: number): number {
  const asks = scene.ttl / 3 + ASKED_WITHIN + covered(scene.lags.lags, from, to);
  if (!wasInTrouble(scene, loser.member, from, from + asks)) return asks;
  return Math.max(asks, Math.min(leaseEnd(loser, to, scene).latest, from + scene.ttl) + SIGNALLED_WITHIN - from);
}

function signals({ runs, scene }: Evidence): { worstSignal: number | undefined; late: Violation[] } {
  const late: Violation[] = [];
  let worstSignal: number | undefined;
  for (const run of runs) {
    const end = holdEnd(run);
    // If the answer of the store came late, the lease may be over before the body begins.
    const from = Math.max(leaseEnd(run, end, scene).latest, run.enter);
    // A run that ended with its process needed no signal.
    if (end <= from || end === run.member.killedAt) continue;
    // A signal fires once: a body that cleans up cannot learn that its lease ended meanwhile.
    if (run.signal?.code === "CLOSING") continue;
    const delay = end - from - blocked(run.member, from, end);
    worstSignal = Math.max(worstSignal ?? 0, delay);
    if (delay <= SIGNALLED_WITHIN) continue;
    const text = `the run of ${run.name} with fence ${run.fence} in worker ${run.member.index} continued for ${delay.toFixed(1)} ms after its lease had ended`;
    late.push({ law: "signalled in time", text, t: end });
  }
  return { worstSignal, late };
}
