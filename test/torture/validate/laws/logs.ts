import { isWhole, lostItsLock, wasInTrouble } from "../excuse.js";
import type { Evidence, Violation } from "../verdict.js";

/** How long after its end a run may write its last lines, in ms. */
const LAST_LINES = 1_000;

/**
 * A log has each line at its place, and counts those that are missing. It is complete to its last line,
 * unless the run did not end by itself, or the store was unreachable at its end.
 */
export function judgeLogs({ scene, stock, runs }: Evidence): Violation[] {
  if (stock?.jobs === undefined || !isWhole(scene)) return [];
  const violations: Violation[] = [];
  const wrong = (text: string): void => void violations.push({ law: "the log is honest", text });
  const logs = new Map(stock.jobs.logs.map((log) => [log.run, log]));
  const written = new Map(scene.members.flatMap((it) => it.all("logged")).map(({ run, lines }) => [run, lines]));
  for (const { run, faults } of logs.values()) for (const fault of faults) wrong(`${run}: ${fault}`);
  for (const run of runs) {
    const log = logs.get(run.record ?? "");
    const lines = written.get(run.record ?? "");
    if (log === undefined || lines === undefined) continue;
    if (log.lines > lines) wrong(`${log.run} has written ${lines} lines, and its log has ${log.lines}`);
    if (log.lines >= lines && !log.isCut) continue;
    const { member, since, exit = since } = run;
    const [stopping] = member.all("stopping");
    const stops = stopping !== undefined && exit + LAST_LINES >= stopping.t;
    const isLost = lostItsLock(scene, { ...run, settled: { t: exit, outcome: "" } });
    const goesOn = run.signal !== undefined || isLost || stops;
    if (goesOn || member.killedAt !== undefined || wasInTrouble(scene, member, since, exit + LAST_LINES)) continue;
    if (log.isCut) wrong(`the end of the log of ${log.run} is missing after ${log.lines} of ${lines} lines`);
    else wrong(`${log.run} has written ${lines} lines, its log has ${log.lines}, and does not say so`);
  }
  return violations;
}
