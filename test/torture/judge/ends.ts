import type { Scene } from "../scene.js";
import { leaseEnd, type ObservedRun } from "./run-of.js";
import type { Evidence, Violation } from "./verdict.js";

const CLOSED = ["completed", "failed", "timeout", "cancelled", "lost"];

/** What the record may say, by what the one who asked was told. */
const RECORDED: Readonly<Record<string, readonly string[]>> = {
  completed: ["completed"],
  failed: ["failed", "lost", "cancelled"],
  TIMEOUT: ["timeout", "lost", "cancelled"],
  LOST: ["lost", "cancelled", "timeout"],
};

/** Each run has one record, closed once, with the status that its caller was told. */
export function judgeRecords({ runs, scene, stock, closings }: Evidence): Violation[] {
  if (stock === undefined) return [];
  const violations: Violation[] = [];
  const wrong = (text: string, t?: number): void =>
    void violations.push({ law: "one end, the right one", text, ...(t !== undefined && { t }) });
  const records = new Map<string, string[]>();
  for (const { name, fence, status } of stock.records) {
    const key = `${name} ${fence}`;
    records.set(key, [...(records.get(key) ?? []), status]);
  }
  for (const run of runs) {
    // Its record went with the store. One of its fence is another's: such a store counts anew.
    if (scene.dataLost !== undefined && !scene.kind.outgrowsLoss && run.since <= scene.dataLost.to) continue;
    const statuses = records.get(`${run.name} ${run.fence}`) ?? [];
    const [status] = statuses;
    const what = `the run of ${run.name} with fence ${run.fence} in worker ${run.member.index}`;
    if (status === undefined) {
      if (!wasLostWithTheStore(run, scene)) wrong(`${what} has no record`, run.enter);
      continue;
    }
    if (statuses.length > 1) wrong(`${what} has ${statuses.length} records`, run.enter);
    const outcome = run.settled?.outcome ?? "nothing";
    const allowed = RECORDED[outcome] ?? CLOSED;
    if (!allowed.includes(status))
      wrong(`${what}: its caller was told ${outcome}, its record says ${status}`, run.enter);
  }
  for (const [key, all] of closings) {
    const lasting = all.filter(({ t }) => !wentWithTheStore(t, scene));
    if (lasting.length < 2) continue;
    const how = lasting.map(({ status }) => status).join(", then ");
    wrong(`the record ${key} was closed ${lasting.length} times: ${how}`, lasting.at(-1)?.t);
  }
  return violations;
}

/** Whether what was written to a record at that moment is lost: whoever was not answered by then writes it again. */
function wentWithTheStore(t: number, { kind, dataLost }: Scene): boolean {
  return dataLost !== undefined && !kind.apart && t <= dataLost.to;
}

function wasLostWithTheStore({ settled, enter }: ObservedRun, { dataLost }: Scene): boolean {
  if (dataLost === undefined) return false;
  // A run of before that ends after the loss finds neither lock nor record.
  return enter <= dataLost.from || settled === undefined || settled.outcome !== "completed";
}

/** Nobody loses a lock whose lease has not ended, unless a fault took it away: no loser, no waiter and no newcomer touches it. */
export function judgeLosses({ runs, scene }: Evidence): Violation[] {
  const violations: Violation[] = [];
  for (const run of runs) {
    const told = run.signal?.code === "LOST" ? run.signal.t : undefined;
    const t = told ?? (run.settled?.outcome === "LOST" ? run.settled.t : undefined);
    if (t === undefined) continue;
    const [stopping] = run.member.all("stopping");
    if (stopping !== undefined && t >= stopping.t) continue;
    if (scene.excuses.some((it) => (it.name ?? run.name) === run.name && run.since <= it.to && t >= it.from)) continue;
    const lease = leaseEnd(run, t, scene.ttl);
    if (lease === undefined || t >= lease.earliest) continue;
    const text = `worker ${run.member.index} lost ${run.name} with fence ${run.fence} ${(lease.earliest - t).toFixed(1)} ms before its lease would have ended`;
    violations.push({ law: "no loss without a reason", text, t });
  }
  return violations;
}
