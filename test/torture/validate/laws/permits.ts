import { PERMITS } from "../../scene/jobs.js";
import { holdEnd, type ObservedRun } from "../run-of.js";
import type { Evidence, Violation } from "../verdict.js";
import { heldUntil, overlapOf } from "./holders.js";

/** A time in which a run had a permit beside another one, without an excuse. */
interface Beside {
  readonly from: number;
  readonly to: number;
}

/** At any moment, at most as many runs of all names as there are permits have a signal that has not fired. */
export function judgePermits({ runs, scene }: Pick<Evidence, "runs" | "scene">): Violation[] {
  if (scene.mode !== "permit") return [];
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
    for (const [permit, limit] of Object.entries(PERMITS)) {
      if (mostAtOnce(beside) < limit) continue;
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
