import type { AuditEntry, RunRecord } from "@ojm/core";
import { hasEnded } from "@ojm/core/internal";
import type { ScheduleView } from "@ojm/schedule";
import type { CoursePoint, JobDetail, Mark } from "../../contract/types.js";
import { shorten } from "../runs/items.js";
import { pick, type Source, take } from "../source.js";

/** How many of the newest runs are shown, and how many of the newest actions. */
const RUNS = 100;
const ACTIONS = 50;

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
  const done = await actionsOf(source, name, from);
  const since = schedule?.since ?? from;
  const marks = [
    ...versionsIn(runs),
    ...done.map((one) => markOf(one, source)),
    ...(since > from ? [{ at: since, what: "new-definition", text: "its schedule was changed" }] : []),
  ];
  return {
    course: runs.map(({ startTime, status, duration = 0 }): CoursePoint => [startTime, status, duration]),
    marks: marks.sort((a, b) => a.at - b.at),
  };
}

/** The actions on a job since a time, the newest first. */
export async function actionsOf(source: Source, name: string, from: number): Promise<readonly AuditEntry[]> {
  return source.hub.reads.get(`actions ${from} ${name}`, [name], async () => {
    const done: AuditEntry[] = [];
    for await (const entry of source.manager.audit({ name })) {
      if (entry.at < from || done.length === ACTIONS) break;
      done.push(entry);
    }
    return done;
  });
}

/** An action as a mark. */
export function markOf({ at, action, author, by, reason }: AuditEntry, { mask }: Pick<Source, "mask">): Mark {
  const who = author ?? `${by.host}, pid ${by.pid}`;
  return { at, what: action, text: shorten(mask(reason === undefined ? who : `${who}: ${reason}`), TEXT) };
}

/** The runs before which the version of ojm or of Node changed, the oldest first. */
function versionsIn(runs: readonly Pick<RunRecord, "startTime" | "versions">[]): Mark[] {
  let last: RunRecord["versions"];
  return runs.flatMap(({ startTime: at, versions }) => {
    const before = last;
    last = versions ?? last;
    if (versions === undefined || before === undefined) return [];
    const changed = (["ojm", "node"] as const).filter((part) => versions[part] !== before[part]);
    const text = changed.map((part) => `${part} ${before[part]} → ${versions[part]}`).join(", ");
    return changed.length === 0 ? [] : [{ at, what: "new-version", text: shorten(text, TEXT) }];
  });
}
