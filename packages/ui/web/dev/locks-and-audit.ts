import type { Audit, Locks } from "../src/api/types.js";
import { FLEET, runningNow } from "./made-up.js";

const HOUR = 3_600_000;

/** Who holds what. */
export function locks(now: number): Locks {
  const lease = { until: now + 11_000, renewed: now - 4_000 };
  const [a, b] = [
    { host: "worker-1", pid: 4_711, instance: "0d1f5a" },
    { host: "worker-3.eu-west-1.internal", pid: 23_190, instance: "b42e19" },
  ];
  return {
    at: now,
    locks: [
      ...runningNow(now).map((run, i) => ({
        name: run.name,
        holder: run.holder,
        since: run.startTime,
        fence: run.fence,
        waiting: run.waiting,
        run: run.id,
        lease,
        gone: i === 2,
      })),
      {
        name: "cache.warm",
        holder: a,
        since: now - 720_000,
        fence: "00000001a1",
        waiting: 1,
        hold: { reason: "new cluster", author: "rita", until: now + HOUR },
        lease,
        gone: false,
      },
    ],
    instances: [
      { ...a, since: now - 30 * HOUR, lease, locks: 2, offset: 12 },
      { ...b, since: now - 2 * HOUR, lease, locks: 3, offset: 4_200 },
    ],
    schedulers: [
      { ...a, schedules: FLEET.length, names: FLEET.map(({ name }) => name) },
      { ...b, schedules: 3, names: ["cache.warm", "mail.queue", "thumbnails"] },
    ],
    truncated: false,
  };
}

/** Who did what. */
export function audit(now: number): Audit {
  const entry = (
    ago: number,
    action: Audit["entries"][number]["action"],
    name: string,
    actor: string,
    reason: string,
  ) => ({ at: now - ago, action, name, actor, reason });
  return {
    entries: [
      entry(720_000, "hold", "cache.warm", "rita (10.0.0.7)", "new cluster"),
      entry(
        5 * HOUR,
        "pause",
        "partners.sftp-import",
        "nuno (10.0.0.9)",
        "the partner moves its server, see ticket 4711",
      ),
      {
        ...entry(
          6 * HOUR,
          "unlock",
          "etl.stock-levels-of-all-warehouses",
          "nuno (10.0.0.9)",
          "worker-3 was switched off",
        ),
        holder: { host: "worker-3", pid: 88, instance: "x" },
        fence: "1a0",
      },
      entry(30 * HOUR, "backfill", "etl.orders", "rita (10.0.0.7)", "orders of the outage"),
      entry(31 * HOUR, "run-now", "report.weekly", "rita (10.0.0.7)", "the board meets today"),
    ],
    more: false,
  };
}
