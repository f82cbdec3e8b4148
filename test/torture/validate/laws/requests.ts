import { isWhole, lockTakenBy } from "../excuse.js";
import type { Evidence, Violation } from "../verdict.js";

/** A cancelled run records who cancelled it and why: its job was cancelled for that reason. */
export function judgeCancels({ scene, stock, runs }: Evidence): Violation[] {
  if (stock?.jobs === undefined || !isWhole(scene)) return [];
  const violations: Violation[] = [];
  const wrong = (text: string): void => void violations.push({ law: "a cancel names its author", text });
  const asked = new Map(scene.members.flatMap((it) => it.all("cancelling")).map((it) => [it.reason, it]));
  const runOf = new Map(runs.map((run) => [run.record, run]));
  for (const { id, name, status, endedBy } of stock.jobs.records) {
    if (status !== "cancelled") continue;
    if (endedBy === undefined) {
      // A run whose body did not begin ended with its manager.
      const stops = runOf.get(id)?.member.all("stopping");
      if (stops?.length === 0) wrong(`${id} was cancelled, and its record does not say by whom`);
      continue;
    }
    const cancel = asked.get(endedBy.reason);
    if (cancel?.name === name && cancel.pid === endedBy.by.pid) continue;
    wrong(`${id} was cancelled by ${endedBy.by.pid} for "${endedBy.reason}", without a request`);
  }
  const records = new Map(stock.jobs.records.map((record) => [record.id, record]));
  for (const { reason, run, status } of scene.members.flatMap((it) => it.all("cancelled"))) {
    const record = records.get(run);
    if (status === "running" || record === undefined || record.status === status) continue;
    wrong(`the cancel for "${reason}" got the answer that ${run} is ${status}, and its record says ${record.status}`);
  }
  return violations;
}

/** No run of a job gets its lock while the job is held for maintenance. */
export function judgeHolds({ scene, runs }: Evidence): Violation[] {
  if (!isWhole(scene)) return [];
  return scene.members.flatMap((member) =>
    member.all("held").flatMap(({ name, life, t }): Violation[] => {
      const run = runs.find((each) => each.name === name && each.since > t && each.enter < t + life);
      // A fault that ends all sessions of the store ends holds, too.
      if (run === undefined || lockTakenBy(scene, { ...run, since: t }, run.enter) !== undefined) return [];
      const text = `${name} was held by worker ${member.index}, and ${run.id} began`;
      return [{ law: "no run during a hold", text, t: run.enter }];
    }),
  );
}
