import type { AuditEntry, RunRecord } from "@ojm/core";
import { hasEnded, startMs } from "@ojm/core/internal";
import type { ScheduleView } from "@ojm/schedule";
import type { CoursePoint, JobDetail, Mark } from "../../contract/types.js";
import { shorten } from "../runs/items.js";
import { pick, type Source, take } from "../source.js";

/** How many of the newest runs are shown, and how many of the newest actions on a job, or on several. */
const RUNS = 100;
const ACTIONS = 50;
const ACTIONS_OF_SEVERAL = 200;

/** The most characters of the text of a mark. */
const TEXT = 300;

/** The last runs of a job, and what changed meanwhile. */
export async function courseOf(
  source: Source,
  name: string,
  schedule: ScheduleView | undefined,
): Promise<Pick<JobDetail, "course" | "marks">> {
  const runs = await source.hub.reads.get(`course ${name}`, [name], async () => {
    const newest = await take(source.manager.history({ name, limit: RUNS }), RUNS);
    return newest
      .filter(hasEnded)
      .map((run) => pick(run, "startTime", "status", "duration", "versions"))
      .reverse();
  });
  const [first] = runs;
  if (first === undefined) return { course: [], marks: [] };
  const from = first.startTime;
  const done = await marksOf(source, new Map([[name, schedule]]), { from });
  const marks = [...versionsIn(runs), ...(done.get(name) ?? [])];
  return {
    course: runs.map(({ startTime, status, duration = 0 }): CoursePoint => [startTime, status, duration]),
    marks: marks.sort((a, b) => a.at - b.at),
  };
}

/** A range of times; the end is exclusive. */
interface Range {
  readonly from: number;
  readonly to?: number;
}

/**
 * What people did to some jobs in a range of time, and the change of their schedules in it, oldest first. Of
 * the actions, the newest 50 for one job, and the newest 200 for several.
 */
export async function marksOf(
  source: Source,
  schedules: ReadonlyMap<string, ScheduleView | undefined>,
  { from, to = Number.POSITIVE_INFINITY }: Range,
): Promise<ReadonlyMap<string, readonly Mark[]>> {
  const names = [...schedules.keys()];
  const [only] = names;
  const most = names.length === 1 ? ACTIONS : ACTIONS_OF_SEVERAL;
  const done = await source.hub.reads.get(JSON.stringify(["actions", from, to, names]), names, async () => {
    const found: AuditEntry[] = [];
    for await (const entry of source.manager.audit(names.length === 1 && only !== undefined ? { name: only } : {})) {
      if (entry.at < from || found.length === most) break;
      if (entry.at < to && schedules.has(entry.name)) found.push(entry);
    }
    return found;
  });
  const marks = new Map<string, Mark[]>();
  for (const [name, schedule] of schedules) {
    const at = schedule?.since;
    const isNew = at !== undefined && at > from && at < to;
    // First: of two at the same time, people act on the schedule that is there.
    marks.set(name, isNew ? [{ at, what: "new-definition", text: "its schedule was added or changed" }] : []);
  }
  for (const entry of done) marks.get(entry.name)?.push(markOf(entry, source));
  for (const of of marks.values()) of.sort((a, b) => a.at - b.at);
  return marks;
}

/** An action as a mark. */
function markOf({ at, action, author, by, reason }: AuditEntry, { mask }: Pick<Source, "mask">): Mark {
  const who = author ?? `${by.host}, pid ${by.pid}`;
  return { at, what: action, text: shorten(mask(reason === undefined ? who : `${who}: ${reason}`), TEXT) };
}

/** The runs before which the version of ojm or of Node changed, the oldest first. */
function versionsIn(runs: readonly Pick<RunRecord, "startTime" | "versions">[]): Mark[] {
  let last: RunRecord["versions"];
  return runs.flatMap(({ startTime, versions }) => {
    const before = last;
    last = versions ?? last;
    if (versions === undefined || before === undefined) return [];
    const changed = (["ojm", "node"] as const).filter((part) => versions[part] !== before[part]);
    const text = changed.map((part) => `${part} ${before[part]} → ${versions[part]}`).join(", ");
    return changed.length === 0 ? [] : [{ at: startMs(startTime), what: "new-version", text: shorten(text, TEXT) }];
  });
}
