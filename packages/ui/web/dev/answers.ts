import type { JobDetail, Lane, LogItem, RunPage, Why } from "../src/api/types.js";
import { audit, locks } from "./locks-and-audit.js";
import { FLEET, jobOf, lineOf, nowOf, runningNow, runsOf, ticksAfter, ticksBefore } from "./made-up.js";

const HOUR = 3_600_000;

/** The made-up answer to a path of the API. Undefined: there is none. */
export function answerTo(parts: readonly string[], query: URLSearchParams): unknown {
  const now = Date.now();
  const [kind, name, part] = parts;
  const number = (key: string, otherwise: number): number => Number(query.get(key) ?? otherwise);
  if (kind === "me")
    return {
      user: "rita",
      role: "admin",
      readOnly: false,
      version: "0.1.0",
      store: "sqlite ojm.db",
      now,
      showResults: true,
    };
  if (kind === "now") return nowOf(now);
  if (kind === "timeline")
    return {
      from: number("from", 0),
      to: number("to", now),
      lanes: lanes(number("from", 0), number("to", now), query.get("q") ?? ""),
      more: false,
    };
  if (kind === "jobs" && name === undefined)
    return {
      jobs: FLEET.filter((job) => job.name.includes(query.get("q") ?? "")).map((job) => jobOf(job, now)),
      more: false,
    };
  if (kind === "jobs" && part === "why") return why(name ?? "", now);
  if (kind === "jobs") return detail(name ?? "", now);
  if (kind === "runs" && name === undefined) return { runs: runs(now, query), more: true, before: "x" };
  if (kind === "runs" && part === "log") return log(name ?? "", query);
  if (kind === "runs") return runPage(name ?? "", now);
  if (kind === "locks") return locks(now);
  return kind === "audit" ? audit(now) : undefined;
}

function lanes(from: number, to: number, q: string): readonly Lane[] {
  const now = Date.now();
  return FLEET.filter(({ name }) => name.includes(q)).map((job): Lane => {
    const least = (to - from) / 3_000;
    const bars: [number, number, RunStatus, number, string?][] = [];
    for (const { startTime, endTime = now, status, id } of runsOf(job, from, Math.min(to, now - job.takes))) {
      const last = bars.at(-1);
      if (last !== undefined && startTime - last[1] < least * 2) {
        last[1] = endTime;
        last[3]++;
        if (status !== "completed") last[2] = status;
        last.length = 4;
      } else bars.push([startTime, endTime, status, 1, id]);
    }
    return {
      name: job.name,
      bars: bars as never,
      ticks: [...ticksBefore(job, now), ...ticksAfter(job, now, 200).filter(({ due }) => due < to)],
    };
  });
}

type RunStatus = Lane["bars"][number][2];

const jobNamed = (name: string): (typeof FLEET)[number] =>
  FLEET.find((job) => job.name === name) ?? (FLEET[0] as (typeof FLEET)[number]);

function detail(name: string, now: number): JobDetail {
  const job = jobNamed(name);
  const future = [...ticksAfter(job, now, 10)].reverse();
  const past = runsOf(job, now - job.every * 16, now - job.takes).map(({ tick = 0, id }) => ({
    ...{ schedule: name, at: tick, due: tick },
    outcome: "run" as const,
    run: id,
  }));
  const ticks = [...future, ...[...past.slice(0, -3), ...ticksBefore(job, now)].sort((a, b) => b.at - a.at)];
  return {
    ...jobOf(job, now),
    name,
    definition: {
      cron: "0 2 * * *",
      zone: job.zone,
      missed: "last",
      overlap: "skip",
      timeout: 3_600_000,
      retry: { attempts: 3, delay: 60_000 },
    },
    ticks,
  };
}

function why(name: string, now: number): Why {
  const run = `${name}@${new Date(now - 3 * HOUR).toISOString()}`;
  return {
    name,
    reasons: [
      {
        code: "paused",
        text: "the schedule is paused by nuno until it is resumed: the partner moves its server, see ticket 4711",
        at: now - 5 * HOUR,
        act: "resume",
      },
      { code: "queue", text: "two runs wait for the lock", act: "unlock" },
      {
        code: "last",
        text: 'the last run failed: pg_dump: connection to server at "db-2" failed',
        at: now - 3 * HOUR,
        run,
        act: "run-now",
      },
      {
        code: "tick",
        text: "the last tick was skipped: the job was running, or its lock was held",
        at: now - 2 * HOUR,
      },
      {
        code: "next",
        text: "the next tick is tomorrow, and will be skipped: the schedule was paused",
        at: now + 21 * HOUR,
      },
    ],
    next: now + 45 * HOUR,
  };
}

function runs(now: number, query: URLSearchParams): RunPage["attempts"] {
  const all = FLEET.flatMap((job) => runsOf(job, now - 6 * HOUR, now - job.takes));
  const name = query.get("name") ?? "";
  const status = query.get("status");
  const some = all.filter((run) => run.name.includes(name) && (status === null || run.status === status));
  return some.sort((a, b) => b.startTime - a.startTime).slice(0, Number(query.get("limit") ?? 50));
}

function runPage(id: string, now: number): RunPage {
  const name = id.slice(0, id.lastIndexOf("@"));
  const startTime = Date.parse(id.slice(id.lastIndexOf("@") + 1));
  const job = jobNamed(name);
  const well = runsOf(job, startTime - job.every * 4, startTime)[0];
  const common = {
    id,
    name,
    startTime,
    trigger: "schedule",
    tick: startTime - 400,
    delay: 400,
    holder: { host: "worker-2", pid: 812, instance: "77c0aa" },
    timeout: HOUR,
    fence: "00000001a4",
    versions: { ojm: "0.1.0", node: "20.20.2" },
  };
  if (runningNow(now).some((run) => run.id === id)) {
    return { run: { ...common, status: "running" }, attempts: [], why: [], log: { lines: 400, ended: false } };
  }
  const ended = {
    status: "failed" as const,
    endTime: startTime + 84_000,
    duration: 84_000,
    attempt: 2,
    attempts: 3,
    chain: id,
  };
  const error =
    'pg_dump: error: connection to server at "db-2" (10.0.4.12), port 5432 failed: FATAL: too many connections for role "backup"';
  const attempt = {
    id,
    name,
    startTime: startTime - 200_000,
    trigger: "schedule",
    holder: common.holder,
    attempt: 1,
    status: "failed" as const,
    duration: 61_000,
    error,
  };
  return {
    run: {
      ...common,
      ...ended,
      error,
      stack: `Error: ${error}\n    at dump (/srv/app/backup.js:41:11)\n    at async main (/srv/app/main.js:12:3)`,
      result: undefined,
      resultHidden: true,
    },
    attempts: [attempt, { ...attempt, ...ended, startTime, error }],
    ...(well && { lastWell: well }),
    why: why(name, now).reasons.slice(2),
    log: { lines: 12_000, ended: true },
  };
}

function log(id: string, query: URLSearchParams): { readonly items: readonly LogItem[]; readonly more: boolean } {
  const startTime = Date.parse(id.slice(id.lastIndexOf("@") + 1));
  const isLive = runningNow(Date.now()).some((run) => run.id === id);
  const last = isLive ? Math.floor((Date.now() - startTime) / 500) : 12_000;
  const tail = query.get("tail");
  const first = tail === null ? Number(query.get("after") ?? 0) + 1 : Math.max(1, last - Number(tail) + 1);
  const to = Math.min(last, first + Number(query.get("limit") ?? 2_000) - 1);
  const items = Array.from({ length: Math.max(0, to - first + 1) }, (_, i) => lineOf(first + i, startTime));
  return { items, more: to < last };
}
