import type { Scene } from "../scene.js";
import { blocked, holdEnd, leaseEnd, type ObservedRun, wasTaken } from "./run-of.js";
import { type Evidence, TOLD_WITHIN, type Violation } from "./verdict.js";

/** What was found about two who hold one lock, and about being told. Times in ms. */
export interface Holders {
  readonly violations: readonly Violation[];
  /** How often two ran at once, neither of them told, and nothing excused it. */
  readonly overlaps: number;
  /** The longest of those that a fault excuses: from the second one's begin to the moment at which the first was told. */
  readonly excusedOverlap: number;
  /** The latest signal, after the end of its lease. */
  readonly worstSignal: number | undefined;
}

/** At most one who was not told to stop, per name, at any moment; and each is told in time. */
export function judgeHolders(evidence: Evidence): Holders {
  const violations: Violation[] = [];
  let overlaps = 0;
  let excusedOverlap = 0;
  for (const [first, second] of pairs(evidence)) {
    const end = Math.min(holdEnd(first), holdEnd(second));
    const lag = (run: ObservedRun): number => blocked(run.member, second.enter, end);
    const together = Math.max(0, end - second.enter - lag(first) - lag(second));
    const ttl = evidence.scene.ttl;
    if (isExcused(evidence.scene, first, second)) {
      excusedOverlap = Math.max(excusedOverlap, together);
      if (together <= 2 * ttl) continue;
    } else {
      const lease = leaseEnd(first, second.enter, ttl);
      const stillValid = lease !== undefined && second.enter < lease.earliest;
      if (!stillValid && together <= TOLD_WITHIN) continue;
    }
    overlaps++;
    const text = `two hold ${first.name}: fence ${first.fence} of worker ${first.member.index} and fence ${second.fence} of worker ${second.member.index}, for ${together.toFixed(1)} ms`;
    violations.push({ law: "one holder", text, t: second.enter });
  }
  const { worstSignal, late } = signals(evidence);
  return { violations: [...violations, ...late], overlaps, excusedOverlap, worstSignal };
}

/** Runs of one name of which the second began while the first held on. */
function* pairs({ runs }: Evidence): Generator<readonly [ObservedRun, ObservedRun]> {
  const inside = new Map<string, ObservedRun[]>();
  for (const run of runs) {
    const others = (inside.get(run.name) ?? []).filter((other) => holdEnd(other) > run.enter);
    for (const other of others) if (holdEnd(run) > run.enter) yield [other, run];
    inside.set(run.name, [...others, run]);
  }
}

/**
 * Whether the lock of one was taken away before the other began. It is the one with the lower fence that lost it, whichever began first: the store's
 * answer to it may be the later one.
 */
function isExcused(scene: Scene, one: ObservedRun, other: ObservedRun): boolean {
  const [loser, next] = BigInt(one.fence) < BigInt(other.fence) ? [one, other] : [other, one];
  return wasTaken(scene, loser, next.enter) || wasTaken(scene, one, other.enter);
}

function signals({ runs, scene }: Evidence): { worstSignal: number | undefined; late: Violation[] } {
  const late: Violation[] = [];
  let worstSignal: number | undefined;
  for (const run of runs) {
    const end = holdEnd(run);
    const lease = leaseEnd(run, end, scene.ttl);
    if (lease === undefined) continue;
    // Where the store's answer came late, the lease may be over before the body begins.
    const from = Math.max(lease.latest, run.enter);
    // What ended with its process was not to be told.
    if (end <= from || end === run.member.killedAt) continue;
    const delay = end - from - blocked(run.member, from, end);
    worstSignal = Math.max(worstSignal ?? 0, delay);
    if (delay <= TOLD_WITHIN) continue;
    const text = `the run of ${run.name} with fence ${run.fence} in worker ${run.member.index} went on for ${delay.toFixed(1)} ms after its lease had ended`;
    late.push({ law: "told in time", text, t: end });
  }
  return { worstSignal, late };
}
