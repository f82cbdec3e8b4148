import type { Mode } from "../../scene/events.js";
import { PER_GROUP, PERMITS } from "../../scene/jobs.js";
import { isWhole } from "../excuse.js";
import { holdEnd, type ObservedRun } from "../run-of.js";
import type { Evidence, Violation } from "../verdict.js";
import { heldUntil, overlapOf } from "./holders.js";

/** A time in which a run had a permit beside another one, without an excuse. */
interface Beside {
  readonly from: number;
  readonly to: number;
}

/** The permits that a run takes, with their limits. */
function takenBy({ group }: ObservedRun, mode: Mode): Readonly<Record<string, number>> {
  return mode === "permit" ? PERMITS : group === undefined ? {} : { [`of the group ${group}`]: PER_GROUP };
}

/** At any moment, at most as many runs of all names as there are permits have a signal that has not fired. */
export function judgePermits({ runs, scene }: Pick<Evidence, "runs" | "scene">): Violation[] {
  // The limit of a group is in the store.
  if (scene.mode === "queue" && !isWhole(scene)) return [];
  const limits = new Map<string, number>();
  for (const run of runs)
    for (const [permit, limit] of Object.entries(takenBy(run, scene.mode))) limits.set(permit, limit);
  return [...limits].flatMap(([permit, limit]) => {
    const takers = runs.filter((run) => takenBy(run, scene.mode)[permit] !== undefined);
    return judgePermit(permit, limit, takers, scene);
  });
}

function judgePermit(
  permit: string,
  limit: number,
  runs: readonly ObservedRun[],
  scene: Evidence["scene"],
): Violation[] {
  const violations: Violation[] = [];
  let inside: ObservedRun[] = [];
  for (const run of runs) {
    inside = inside.filter((other) => heldUntil(other, run.enter, scene) > run.enter);
    if (holdEnd(run) <= run.enter) continue;
    const beside = inside.flatMap((other): Beside[] => {
      const { excused, unexcused } = overlapOf(scene, [other, run]);
      const from = run.enter + excused;
      return unexcused > 0 ? [{ from, to: from + unexcused }] : [];
    });
    if (mostAtOnce(beside) >= limit) {
      const others = inside.map(({ fence, member }) => `${fence} of worker ${member.index}`).join(", ");
      const text = `more than ${limit} runs have the permit ${permit}: fence ${run.fence} of worker ${run.member.index} beside ${others}`;
      violations.push({ law: "no more than its permits", text, t: run.enter });
    }
    inside.push(run);
  }
  return violations;
}

function mostAtOnce(times: readonly Beside[]): number {
  return Math.max(0, ...times.map(({ from }) => times.filter((one) => one.from <= from && from < one.to).length));
}
