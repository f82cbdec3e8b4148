import { RATE } from "../../scene/jobs.js";
import type { EventOf } from "../../scene/member.js";
import { STRANGER } from "../../traffic/harm.js";
import type { Evidence, Violation } from "../verdict.js";

/** How exactly the clock of a store measures a window, in ms. */
const EXACT = 2;

/**
 * In any window, at most as many runs begin as the rate allows. A run begins with the commit of its lock,
 * between the call and its answer: so only runs that are certainly too close count.
 */
export function judgeRate({ scene }: Pick<Evidence, "scene">): Violation[] {
  if (scene.mode !== "rate" || hasLostTokens(scene)) return [];
  const { max, per } = RATE;
  const starts = scene.members
    .flatMap((member) => member.all("granted"))
    // An entry that was overwritten is no lock that a run took.
    .filter(({ name, session }) => scene.names.includes(name) && session !== STRANGER);
  const ordered = starts.sort((a, b) => (BigInt(a.fence) < BigInt(b.fence) ? -1 : 1));
  return ordered.flatMap((start, i): Violation[] => {
    const before: EventOf<"granted"> | undefined = ordered[i - max];
    if (before === undefined || start.t - before.sent >= per - EXACT) return [];
    const text = `${max + 1} runs began within ${(start.t - before.sent).toFixed(1)} ms, and ${max} may in ${per}: fences ${before.fence} to ${start.fence}`;
    return [{ law: "no faster than its rate", text, t: start.t }];
  });
}

/** Whether the store lost its data, or its clock jumped: the tokens went with that. */
function hasLostTokens({ dataLost, excuses }: Evidence["scene"]): boolean {
  const isOfAll = excuses.some(({ name, fence, session }) => (name ?? fence ?? session) === undefined);
  return dataLost !== undefined || isOfAll;
}
