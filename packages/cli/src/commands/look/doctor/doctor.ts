import type { JobManager, RunRecord } from "@ojm/core";
import { visible } from "@ojm/core/internal";
import { type SchedulerView, schedulersIn } from "@ojm/schedule";
import { expectNoMore, lastValue } from "../../../command-line/parse.js";
import type { Given } from "../../../command-line/spec.js";
import { EXIT } from "../../../errors.js";
import { colorOf, type Paint, painter } from "../../../output/color.js";
import { printItems } from "../../../output/items.js";
import { done, print, wantsJson } from "../../../output/print.js";
import { fold, outputWidth } from "../../../output/width/width.js";
import { filesOf, whichStore, withStore } from "../../../store/open.js";
import { checkEntries, removeDamaged } from "./damaged-entries.js";
import { type Finding, ok } from "./finding.js";
import { checkClocks, checkSessions, checkVersions, type Session, sessionsOf } from "./process-checks.js";
import { checkQueues } from "./queue-checks.js";
import { checkRuns } from "./run-checks.js";
import { checkSchedules } from "./schedule-checks.js";
import { checkDisk, checkFormat, checkPromises, checkRoundTrips } from "./store-checks.js";

/** The columns before the text, on a wide screen and on a narrow one. */
const INDENT = 22;
const SMALL_INDENT = 2;
const NARROW = 70;

/** The most findings with one remedy that are listed, if another command shows them all. */
const FINDINGS_LIMIT = 5;

/** The command that shows all findings of a check. */
const SHOWN_BY: Readonly<Partial<Record<Finding["check"], string>>> = { schedulers: "ojm jobs" };

/** Prints the findings: a line for each, and below it what to do. */
async function printFindings(given: Given, findings: readonly Finding[]): Promise<void> {
  if (wantsJson(given)) return printItems(given, findings, [], "");
  const paint = painter(given);
  const texts = groups(findings).map((group) => groupText(group, outputWidth(), paint));
  print(texts.join(""));
}

/** Groups adjacent findings of one kind with the same remedy, which is then printed once. */
function groups(findings: readonly Finding[]): Finding[][] {
  const all: Finding[][] = [];
  for (const finding of findings) {
    const group = all.at(-1);
    const [first] = group ?? [];
    const isSame = first !== undefined && first.check === finding.check && first.state === finding.state;
    if (isSame && finding.help !== undefined && first.help === finding.help) group?.push(finding);
    else all.push([finding]);
  }
  return all;
}

/** Findings of one group in lines of at most `width` columns, if their words allow it. */
export function groupText(group: readonly Finding[], width: number, paint: Paint): string {
  const [first] = group;
  if (first === undefined) return "";
  const { state, check, help } = first;
  const isNarrow = width < NARROW;
  const indent = isNarrow ? SMALL_INDENT : INDENT;
  const command = state === "problem" ? SHOWN_BY[check] : undefined;
  const isCut = command !== undefined && group.length > FINDINGS_LIMIT;
  const lines = [
    ...group.slice(0, isCut ? FINDINGS_LIMIT : group.length).map(({ text }) => text),
    ...(isCut ? [`and ${group.length - FINDINGS_LIMIT} more: ${command}`] : []),
    ...(help === undefined ? [] : [`-> ${help}`]),
  ]
    // Escape control characters: names and reasons come from a store.
    .flatMap((part) => fold(visible(part.replace(/\s+/g, " ")), width - 1 - indent))
    .map((line) => `${" ".repeat(indent)}${line}\n`);
  const head = `${paint(state, colorOf(state))}${" ".repeat(9 - state.length)}${check}`;
  if (isNarrow) return [`${head}\n`, ...lines].join("");
  return lines.join("").replace(/^ +/, `${head}${" ".repeat(INDENT - 9 - check.length)}`);
}

/** How many of the newest runs are checked for versions and clocks. */
const RECENT = 100;

/** A session of the default length with less time left than this has missed a renewal, in ms. */
const LATE = 5_000;

/**
 * How long to wait for such a session to renew itself, in ms. A session with a shorter time to live always
 * has less time left than {@link LATE}, and renews about this often.
 */
const MOMENT = 1_500;

/** Checks a store and the processes that use it. */
export async function execute(given: Given): Promise<number> {
  expectNoMore(given);
  const entry = lastValue(given, "remove");
  return withStore(given, async (manager) => {
    if (entry !== undefined) {
      const removed = await removeDamaged(manager, entry);
      return done(given, `removed the entry ${removed}`, { removed: JSON.parse(removed) });
    }
    const which = ok("store", await whichStore(given));
    const findings = [which, ...(await examine(manager, await filesOf(given)))];
    await printFindings(given, findings);
    return findings.some(({ state }) => state === "problem") ? EXIT.failed : EXIT.ok;
  });
}

/** All findings, in the order of the checks. `files`: the files of the store. */
export async function examine(manager: JobManager, files: readonly string[]): Promise<Finding[]> {
  // Runs first and alone: the other checks would slow it down.
  const roundTrips = await checkRoundTrips(manager);
  const [format, disk, entries, processes, runs, schedules, queues] = await Promise.all([
    checkFormat(manager),
    checkDisk(files),
    checkEntries(manager),
    checkProcesses(manager),
    checkRuns(manager),
    checkSchedules(manager),
    checkQueues(manager),
  ]);
  return [
    ...roundTrips,
    ...checkPromises(manager),
    format,
    ...disk,
    ...entries,
    ...processes,
    ...runs,
    ...schedules,
    ...queues,
  ];
}

async function checkProcesses(manager: JobManager): Promise<Finding[]> {
  const runs: RunRecord[] = [];
  for await (const run of manager.history({ limit: RECENT })) runs.push(run);
  const [sessions, locks] = await Promise.all([sessionsOf(manager), manager.heldLocks()]);
  const schedulers: SchedulerView[] = [];
  for await (const scheduler of schedulersIn(manager)) schedulers.push(scheduler);
  const quiet = await withoutRenewal(manager, sessions);
  return [
    ...checkVersions(runs, sessions, schedulers),
    ...checkClocks({ now: Date.now(), locks, sessions, runs }),
    ...checkSessions(sessions, quiet),
  ];
}

/** The ids of the sessions that are late, and do not renew themselves within a moment. */
async function withoutRenewal(manager: JobManager, sessions: readonly Session[]): Promise<ReadonlySet<string>> {
  const late = new Map(sessions.filter(({ left }) => left < LATE).map(({ id, beat }) => [id, beat]));
  if (late.size === 0) return new Set();
  await new Promise((resolve) => setTimeout(resolve, MOMENT));
  const again = await sessionsOf(manager);
  return new Set(again.filter(({ id, beat }) => late.get(id) === beat).map(({ id }) => id));
}
