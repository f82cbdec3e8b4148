import type { Scene } from "../scene/scene.js";
import { judgeRecovery, judgeRest } from "./laws/after.js";
import { judgeAttempts } from "./laws/attempts.js";
import { judgeReading } from "./laws/both-read.js";
import { judgeCalls } from "./laws/calls.js";
import { judgeClosing } from "./laws/closing.js";
import { judgeLosses, judgeRecords } from "./laws/ends.js";
import { judgeFences } from "./laws/fences.js";
import { judgeHolders } from "./laws/holders.js";
import { judgeItems, judgeKeys, judgePauses } from "./laws/items.js";
import { judgeKept } from "./laws/kept.js";
import { judgeLogs } from "./laws/logs.js";
import { judgePermits } from "./laws/permits.js";
import { judgeRate } from "./laws/rates.js";
import { judgeCancels, judgeHolds } from "./laws/requests.js";
import { judgeTicks } from "./laws/ticks.js";
import type { Evidence, Violation } from "./verdict.js";

/** The warnings of a worker whose store is full, which are correct. */
const FULL = warning("OJM_FULL");

/** The warnings of a worker whose run ended after its lock was lost, or while its store was away. */
const UNRECORDED = warning("OJM_UNRECORDED");

/** The warnings of a worker whose store lost its data: the schedules are gone. */
const REMOVED = warning("OJM_SCHEDULE");

/** The warnings of a worker whose store was unreachable for long. */
const AWAY = warning("OJM_SCHEDULE", "the store (?:has not answered for|answers again)");

/** The warnings of a worker of a queue whose store was unreachable or full. */
const NOT_TAKING = warning("OJM_QUEUE");

/** The warnings of a worker that met ticks which a wrong clock had decided on. */
const WRONG_CLOCK = warning("OJM_SCHEDULE", "the ticks of .* by a machine with a wrong clock");

function warning(code: string, text = ""): RegExp {
  return new RegExp(
    `^\\(node:\\d+\\) \\[${code}\\] OjmWarning: ${text}.*\\nSee https:.*\\n(?:\\(Use \`node --trace-warnings.*\\n)?`,
    "gm",
  );
}

/** Judges a cell by every law. `troubles`: why the cell was broken off, if it was. */
export async function judgeAll(evidence: Evidence, troubles: readonly Violation[]): Promise<Violation[]> {
  return [
    ...troubles,
    ...judgeHolders(evidence).violations,
    ...judgePermits(evidence),
    ...judgeRate(evidence),
    ...judgeItems(evidence),
    ...judgeKeys(evidence),
    ...judgePauses(evidence),
    ...judgeClosing(evidence),
    ...judgeFences(evidence),
    ...judgeRecords(evidence),
    ...judgeLosses(evidence),
    ...judgeCalls(evidence),
    ...judgeKept(evidence),
    ...judgeTicks(evidence),
    ...judgeAttempts(evidence),
    ...judgeCancels(evidence),
    ...judgeHolds(evidence),
    ...judgeLogs(evidence),
    ...judgeReading(evidence),
    ...(await judgeExits(evidence.scene)),
    // A cell that was broken off leaves things behind: these laws do not apply.
    ...(troubles.length > 0 ? [] : [...judgeRecovery(evidence), ...judgeRest(evidence)]),
  ];
}

async function judgeExits({ members, dataLost, troubles, isClockWrong }: Scene): Promise<Violation[]> {
  const violations: Violation[] = [];
  for (const member of members) {
    const code = await member.ended;
    if (member.killedAt !== undefined) continue;
    if (code !== 0) violations.push({ law: "exits by itself", text: `worker ${member.index} ended with ${code}` });
    const expected = [
      FULL,
      UNRECORDED,
      ...(dataLost === undefined ? [] : [REMOVED]),
      ...(troubles.length === 0 ? [] : [AWAY, NOT_TAKING]),
      ...(isClockWrong ? [WRONG_CLOCK] : []),
    ];
    const said = expected.reduce((text, pattern) => text.replace(pattern, ""), member.stderr);
    if (said !== "") violations.push({ law: "no error", text: `worker ${member.index}: ${said}` });
  }
  return violations;
}
