import type { JobManager, RunRecord } from "@ojm/core";
import { readable, visible } from "@ojm/core/internal";
import { expectNoMore, lastValue } from "../../../command-line/parse.js";
import type { Given } from "../../../command-line/spec.js";
import { EXIT } from "../../../errors.js";
import { colorOf, type Paint, painter } from "../../../output/color.js";
import { itemsText } from "../../../output/items.js";
import { done, print } from "../../../output/print.js";
import { fold, outputWidth } from "../../../output/width/width.js";
import { filesOf, whichStore, withStore } from "../../../store/open.js";
import { checkEntries, removeDamaged } from "./damaged-entries.js";
import { type Finding, ok } from "./finding.js";
import { checkClocks, checkSessions, checkVersions, type Session, sessionOf } from "./process-checks.js";
import { checkRuns } from "./run-checks.js";
import { checkSchedules } from "./schedule-checks.js";
import { checkDisk, checkPromises, checkRoundTrips } from "./store-checks.js";

/** The columns before the text, on a wide screen and on a narrow one. */
const INDENT = 22;
const SMALL_INDENT = 2;
const NARROW = 70;

/** Of so many things with the same remedy it is told which they are, where another command shows all. */
const MOST = 5;

/** The command that shows all of a check that was not well. */
const SHOWN_BY: Readonly<Partial<Record<Finding["check"], string>>> = { schedulers: "ojm jobs" };

/** Prints what was found: a line for each thing, and below it what to do. */
export async function printFindings(given: Given, findings: readonly Finding[]): Promise<void> {
  if (given.flags.has("json") || given.flags.has("jsonl")) print(await itemsText(given, findings, [], ""));
  else {
    const paint = painter(given);
    print(
      groups(findings)
        .map((group) => groupText(group, outputWidth(), paint))
        .join(""),
    );
  }
}

/** Findings of one kind and with the same remedy stand together, and the remedy below them once. */
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

/** Findings in lines of at most `width` columns, if their words allow it. They have the same remedy. */
export function groupText(group: readonly Finding[], width: number, paint: Paint): string {
  const [first] = group;
  if (first === undefined) return "";
  const { state, check, help } = first;
  const isNarrow = width < NARROW;
  const indent = isNarrow ? SMALL_INDENT : INDENT;
  const command = state === "problem" ? SHOWN_BY[check] : undefined;
  const isCut = command !== undefined && group.length > MOST;
  const lines = [
    ...group.slice(0, isCut ? MOST : group.length).map(({ text }) => text),
    ...(isCut ? [`and ${group.length - MOST} more: ${command}`] : []),
    ...(help === undefined ? [] : [`-> ${help}`]),
  ]
    // What a terminal would obey is shown as an escape: names and reasons come from a store.
    .flatMap((part) => fold(visible(part.replace(/\s+/g, " ")), width - 1 - indent))
    .map((line) => `${" ".repeat(indent)}${line}\n`);
  const head = `${paint(state, colorOf(state))}${" ".repeat(9 - state.length)}${check}`;
  if (isNarrow) return [`${head}\n`, ...lines].join("");
  return lines.join("").replace(/^ +/, `${head}${" ".repeat(INDENT - 9 - check.length)}`);
}

/** How many of the newest runs are looked at for versions and clocks. */
const RECENT = 100;

/** A session of the default length that has less left than this has missed a renewal, in ms. */
const LATE = 5_000;

/** How long such a session is given to renew itself, in ms: sessions with a shorter life do that often. */
const MOMENT = 1_500;

/** Looks at a store, and at the processes that use it. */
export async function execute(given: Given): Promise<number> {
  expectNoMore(given);
  const entry = lastValue(given, "remove");
  return withStore(given, async (manager) => {
    if (entry !== undefined) {
      const removed = await removeDamaged(manager, entry);
      await done(given, `removed the entry ${removed}`, { removed: JSON.parse(removed) });
      return EXIT.ok;
    }
    const which = ok("store", await whichStore(given));
    const findings = [which, ...(await examine(manager, await filesOf(given)))];
    await printFindings(given, findings);
    return findings.some(({ state }) => state === "problem") ? EXIT.failed : EXIT.ok;
  });
}

/** All that is found, in the order in which it is looked at. `files`: those that the store is in. */
export async function examine(manager: JobManager, files: readonly string[]): Promise<Finding[]> {
  // Alone, before the others: they would slow it down.
  const roundTrips = await checkRoundTrips(manager);
  const [disk, entries, processes, runs, schedules] = await Promise.all([
    checkDisk(files),
    checkEntries(manager),
    checkProcesses(manager),
    checkRuns(manager),
    checkSchedules(manager),
  ]);
  return [...roundTrips, ...checkPromises(manager), ...disk, ...entries, ...processes, ...runs, ...schedules];
}

async function checkProcesses(manager: JobManager): Promise<Finding[]> {
  const runs: RunRecord[] = [];
  for await (const run of manager.history({ limit: RECENT })) runs.push(run);
  const [sessions, locks] = await Promise.all([sessionsOf(manager), manager.locks()]);
  const quiet = await withoutRenewal(manager, sessions);
  return [
    checkVersions(runs),
    ...checkClocks({ now: Date.now(), locks, sessions, runs }),
    ...checkSessions(sessions, quiet),
  ];
}

async function sessionsOf({ channels: { locks } }: JobManager): Promise<Session[]> {
  const sessions: Session[] = [];
  for await (const { key, value, expiresIn } of readable(locks, { prefix: ["session"] })) {
    const session = sessionOf(key, value, expiresIn);
    if (session !== undefined) sessions.push(session);
  }
  return sessions;
}

/** The ids of the sessions that are late, and do not renew themselves in a moment. */
async function withoutRenewal(manager: JobManager, sessions: readonly Session[]): Promise<ReadonlySet<string>> {
  const late = new Map(sessions.filter(({ left }) => left < LATE).map(({ id, beat }) => [id, beat]));
  if (late.size === 0) return new Set();
  await new Promise((resolve) => setTimeout(resolve, MOMENT));
  const again = await sessionsOf(manager);
  return new Set(again.filter(({ id, beat }) => late.get(id) === beat).map(({ id }) => id));
}
