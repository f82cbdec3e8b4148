import { lockTakenBy } from "../excuse.js";
import { leaseEnd } from "../run-of.js";
import type { Evidence, Violation } from "../verdict.js";

/**
 * Fences increase, and no store accepts a write under an older fence. A store that restarts its counter after
 * it lost its data can promise neither across the loss.
 */
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
    // A run that was suspended between its grant and its first line begins late. Its lease is over by then.
    if (fence < last && run.enter >= leaseEnd(run, run.enter, scene).earliest) continue;
    // So does a run whose lock a forced unlock took before the run knew that it had it.
    if (fence < last && lockTakenBy(scene, run, run.enter) !== undefined) continue;
    const text = `worker ${run.member.index} began ${run.name} with fence ${fence} after ${last}`;
    violations.push({ law: "fences increase", text, t: run.enter });
  }
  return violations;
}

/**
 * A fence is the version of its grant, and a store counts all its writes by one counter: each write that it
 * accepts after a grant has a higher version.
 */
function refused({ scene, runs }: Evidence): Violation[] {
  const grants = new Map<string, Set<bigint>>();
  const given = [...scene.members.flatMap((member) => member.all("granted")), ...runs];
  for (const { name, fence } of given) grants.set(name, (grants.get(name) ?? new Set()).add(BigInt(fence)));
  const violations: Violation[] = [];
  for (const { name, fence, version, ok, t } of scene.members.flatMap((member) => member.all("write"))) {
    if (!ok) continue;
    const [own, taken] = [BigInt(fence), BigInt(version)];
    const later = [...(grants.get(name) ?? [])].find((grant) => own < grant && grant < taken);
    if (later === undefined) continue;
    const text = `a write to ${name} under fence ${fence} was taken as version ${version}, after fence ${later} had been given`;
    violations.push({ law: "older fence refused", text, t });
  }
  return violations;
}
