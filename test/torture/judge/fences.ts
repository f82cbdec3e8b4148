import type { EventOf } from "../member.js";
import { leaseEnd, wasTaken } from "./run-of.js";
import type { Evidence, Violation } from "./verdict.js";

/** Fences increase, and no store takes a write under an older one. A store that counts anew when it is empty can promise neither across that. */
export function judgeFences(evidence: Evidence): Violation[] {
  const { kind, dataLost } = evidence.scene;
  if (dataLost !== undefined && !kind.outgrowsLoss) return [];
  return [...increase(evidence), ...refused(evidence)];
}

function increase({ runs, scene }: Evidence): Violation[] {
  const violations: Violation[] = [];
  const highest = new Map<string, bigint>();
  for (const run of runs) {
    const last = highest.get(run.name) ?? 0n;
    const fence = BigInt(run.fence);
    if (fence > last) {
      highest.set(run.name, fence);
      continue;
    }
    // One that stood still between its grant and its first line comes late, and has lost its lease by then.
    const lease = leaseEnd(run, run.enter, scene.ttl);
    if (fence < last && lease !== undefined && run.enter >= lease.earliest) continue;
    // So does one from which the lock was taken by force before it knew that it had it.
    if (fence < last && wasTaken(scene, run, run.enter)) continue;
    const text = `worker ${run.member.index} began ${run.name} with fence ${fence} after ${last}`;
    violations.push({ law: "fences increase", text, t: run.enter });
  }
  return violations;
}

function refused({ scene }: Evidence): Violation[] {
  const writes = scene.members.flatMap((member) => member.all("write")).filter(({ ok }) => ok);
  const violations: Violation[] = [];
  const highest = new Map<string, EventOf<"write">>();
  for (const write of writes.sort((a, b) => (BigInt(a.version) < BigInt(b.version) ? -1 : 1))) {
    const last = highest.get(write.name);
    if (last !== undefined && BigInt(write.fence) < BigInt(last.fence)) {
      const text = `a write to ${write.name} under fence ${write.fence} was taken after one under ${last.fence}`;
      violations.push({ law: "older fence refused", text, t: write.t });
    } else {
      highest.set(write.name, write);
    }
  }
  return violations;
}
