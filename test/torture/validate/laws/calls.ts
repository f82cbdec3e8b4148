import { wasInTrouble } from "../excuse.js";
import type { Evidence, Violation } from "../verdict.js";

/** Error codes that no fault of a store explains. */
const NEVER = ["CORRUPT", "FAILED", "INVALID_ARGUMENT"];

/** No call fails, unless the store or the way to it fails, or the process closes its managers. */
export function judgeCalls({ scene }: Pick<Evidence, "scene">): Violation[] {
  const violations: Violation[] = [];
  for (const member of scene.members) {
    const [stopping] = member.all("stopping");
    for (const { code, text, t } of member.all("trouble")) {
      const closes = code === "CLOSED" && stopping !== undefined && t >= stopping.t;
      if (!NEVER.includes(code) && (closes || wasInTrouble(scene, member, t, t))) continue;
      violations.push({ law: "no error", text: `worker ${member.index}: ${code}: ${text}`, t });
    }
  }
  return violations;
}
