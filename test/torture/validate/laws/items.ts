import type { ItemStock } from "../../scene/events.js";
import { itemLock } from "../../scene/jobs.js";
import type { EventOf } from "../../scene/member.js";
import { isWhole } from "../excuse.js";
import type { Evidence, Violation } from "../verdict.js";

/**
 * Each item that was added is done once or dead. A row is in the table if, and only if, the run that wrote it
 * completed.
 */
export function judgeItems({ scene, stock }: Pick<Evidence, "scene" | "stock">): Violation[] {
  if (stock?.items === undefined || !isWhole(scene)) return [];
  const { done, dead, stuck, runs } = stock.items;
  const violations: Violation[] = [];
  const wrong = (text: string): void => void violations.push({ law: "each item ends once", text });
  for (const item of stuck) wrong(`the item ${item} has no end`);
  const isStuck = new Set(stuck.map((text) => text.slice(0, text.indexOf(":"))));
  const rows = rowsOf(done);
  const ends = (item: string): number => (rows.get(item)?.length ?? 0) + (dead.includes(item) ? 1 : 0);
  for (const { item, t } of scene.members.flatMap((member) => member.all("added"))) {
    if (ends(item) === 0 && !isStuck.has(item))
      violations.push({ law: "each item ends once", text: `${item} was added, and has disappeared`, t });
  }
  for (const item of new Set([...rows.keys(), ...dead])) {
    if (ends(item) > 1 || (isStuck.has(item) && ends(item) > 0))
      wrong(
        `the item ${item} has several ends: the rows of ${rows.get(item)?.join(", ")}${dead.includes(item) ? ", and it is dead" : ""}`,
      );
  }
  // With two stores, a record is closed before the lock is released.
  if (scene.kind.apart) return violations;
  const completed = new Set(runs.flatMap(({ id, status }) => (status === "completed" ? [id] : [])));
  const written = new Set(done.map(([, run]) => run));
  for (const { id, item, status } of runs) {
    if (written.has(id) !== completed.has(id))
      wrong(`the run ${id} of the item ${item} is ${status}, and it has ${written.has(id) ? "a" : "no"} row`);
  }
  for (const [item, run] of done)
    if (!completed.has(run)) wrong(`the row of the item ${item} is of ${run}, which did not complete`);
  return violations;
}

function rowsOf(done: ItemStock["done"]): Map<string, string[]> {
  const rows = new Map<string, string[]>();
  for (const [item, run] of done) rows.set(item, [...(rows.get(item) ?? []), run]);
  return rows;
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
