import { takenBy } from "../excuse.js";
import type { Evidence, Violation } from "../verdict.js";

/**
 * A run that must keep its lock through the fault keeps it: no other run begins meanwhile, its signal does
 * not fire, and its record says that it completed.
 */
export function judgeKept({ injected, runs, scene, stock }: Evidence): Violation[] {
  const kept = injected?.kept;
  if (kept === undefined) return [];
  const violations: Violation[] = [];
  const wrong = (text: string, t: number): void => void violations.push({ law: "kept by the thread", text, t });
  const run = runs.find(({ member, id }) => member === kept.member && id === kept.id);
  const computed = kept.member.all("computed").find(({ id }) => id === kept.id);
  if (run === undefined || computed === undefined) {
    wrong(`run ${kept.id} did not compute`, injected?.since ?? 0);
    return violations;
  }
  if (takenBy(scene, run, run.settled?.t ?? Infinity) !== undefined) return [];
  const { name, fence } = run;
  for (const other of runs) {
    if (other === run || other.name !== name || other.enter < run.enter || other.enter >= computed.to) continue;
    wrong(`fence ${other.fence} of ${name} began while fence ${fence} computed`, other.enter);
  }
  if (run.signal !== undefined) wrong(`fence ${fence} of ${name} received the signal ${run.signal.code}`, run.signal.t);
  const record = stock?.records.find((each) => (each.lock ?? each.name) === name && each.fence === fence);
  if (stock !== undefined && record?.status !== (run.skips === true ? "skipped" : "completed")) {
    wrong(`the record of fence ${fence} of ${name} says ${record?.status ?? "nothing"}`, computed.to);
  }
  return violations;
}
