import type { Evidence, Violation } from "../verdict.js";

/** A closing process starts nothing: no body begins after that, except one that is asked to end at once. */
export function judgeClosing({ runs }: Evidence): Violation[] {
  const violations: Violation[] = [];
  for (const { member, name, fence, enter, wasSignalled } of runs) {
    const [closing] = member.all("closing");
    if (closing === undefined || enter <= closing.t || wasSignalled) continue;
    const text = `${name} began with fence ${fence} in worker ${member.index}, which had been closing for ${(enter - closing.t).toFixed(1)} ms`;
    violations.push({ law: "starts nothing", text, t: enter });
  }
  return violations;
}
