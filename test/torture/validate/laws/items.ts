import type { ItemStock } from "../../scene/events.js";
import { itemLock } from "../../scene/jobs.js";
import type { EventOf } from "../../scene/member.js";
import { isWhole } from "../excuse.js";
import type { Evidence, Violation } from "../verdict.js";

/** Each item that was added is done once or dead. */
export function judgeItems({ scene, stock }: Pick<Evidence, "scene" | "stock">): Violation[] {
  if (stock?.items === undefined || !isWhole(scene)) return [];
  const added = scene.members.flatMap((member) => member.all("added")).map(({ item }) => item);
  return endsOf(added, stock.items, scene.kind.apart).map((text) => ({ law: "each item ends once", text }));
}

/**
 * The faults of the ends of items. A row is in the table if, and only if, the run that wrote it completed:
 * but with two stores, `apart`, a record is closed before its lock is released.
 */
export function endsOf(added: readonly string[], { done, dead, stuck, runs }: ItemStock, apart: boolean): string[] {
  const ends = new Map<string, string[]>();
  const end = (item: string, how: string): void => void ends.set(item, [...(ends.get(item) ?? []), how]);
  for (const [item, run] of done) end(item, `done by ${run}`);
  for (const item of dead) end(item, "dead");
  for (const text of stuck) end(text.slice(0, text.indexOf(":")), "in the queue");
  const completed = new Set(runs.flatMap(({ id, status }) => (status === "completed" ? [id] : [])));
  const written = new Set(done.map(([, run]) => run));
  return [
    ...stuck.map((text) => `the item ${text}, and no worker ends it`),
    ...added.flatMap((item) => (ends.has(item) ? [] : [`the item ${item} was added, and has disappeared`])),
    ...[...ends].flatMap(([item, all]) => (all.length > 1 ? [`the item ${item} is ${all.join(", and ")}`] : [])),
    ...(apart ? [] : [...completed].flatMap((run) => (written.has(run) ? [] : [`${run} completed, and has no row`]))),
    ...(apart
      ? []
      : [...written].flatMap((run) => (completed.has(run) ? [] : [`${run} has a row, and did not complete`]))),
  ];
}

/** While an item with a unique key is certainly in the queue, no other one is added with that key. */
export function judgeKeys({ scene }: Pick<Evidence, "scene">): Violation[] {
  if (!isWhole(scene)) return [];
  const { members } = scene;
  const itemOf = new Map(members.flatMap((member) => member.all("enter")).map(({ id, item }) => [id, item]));
  const over = new Map<string, number>();
  for (const { id, ends, t } of members.flatMap((member) => member.all("exit"))) {
    const item = itemOf.get(id);
    if (item !== undefined && ends === true) over.set(item, Math.min(over.get(item) ?? Infinity, t));
  }
  const added = members.flatMap((member) => member.all("added")).sort((a, b) => a.t - b.t);
  return added.flatMap(({ item, key, t }): Violation[] => {
    if (key === undefined) return [];
    const second = added.find((it) => it.key === key && it.sent > t && it.t < (over.get(item) ?? Infinity));
    if (second === undefined) return [];
    const text = `${second.item} was added with the key ${key} while ${item} had it`;
    return [{ law: "one item a key", text, t: second.t }];
  });
}

/** Between the answer to a pause and the next resume, no item is taken. */
export function judgePauses({ scene }: Pick<Evidence, "scene">): Violation[] {
  if (!isWhole(scene)) return [];
  const grants = scene.members
    .flatMap((member) => member.all("granted"))
    .filter(({ name }) => name.startsWith(itemLock("")));
  const resumes = scene.members.flatMap(resumesOf);
  return scene.members
    .flatMap((member) => member.all("paused"))
    .flatMap(({ sent, t }): Violation[] => {
      // A resume that was under way may have come before the pause, or after it.
      const next = Math.min(...resumes.flatMap(({ from, to }) => (to >= sent ? [from] : [])));
      const taken = grants.find((grant) => grant.sent > t && grant.t < next);
      if (taken === undefined) return [];
      const text = `${taken.name} was taken ${(taken.sent - t).toFixed(1)} ms after the queue was paused`;
      return [{ law: "no item during a pause", text, t: taken.t }];
    });
}

interface Resume {
  readonly from: number;
  readonly to: number;
}

function resumesOf(member: Evidence["scene"]["members"][number]): Resume[] {
  const done: EventOf<"resumed">[] = member.all("resumed");
  return member.all("resuming").map(({ t }, i, all) => {
    const until = all[i + 1]?.t ?? Infinity;
    return { from: t, to: done.find((it) => it.t >= t && it.t < until)?.t ?? Infinity };
  });
}
