import { visible } from "@ojm/core/internal";
import type { SayTime } from "../../../output/times.js";
import { type Coming, sayDue } from "../retry-series.js";

/** A living process starts an attempt within this time after it is due, in ms. */
const LATE = 10_000;

/** A pending attempt, as text. */
export function sayComing(coming: Omit<Coming, "chain">, say: SayTime): string {
  const { name, attempt, attempts, due, orphaned } = coming;
  const isLate = !orphaned && due <= Date.now() - LATE;
  const when = isLate ? `overdue since ${say(due)}: no process has made it so far` : sayDue(say(due), orphaned);
  return `${visible(name)} waits for attempt ${attempt} of ${attempts}, ${when}`;
}
