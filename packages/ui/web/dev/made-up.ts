import type { Job, LogItem, Now, RunItem, Running, Status, TickView } from "../src/api/types.js";

const HOUR = 3_600_000;

/** A job of the made-up fleet. */
interface Made {
  readonly name: string;
  readonly words: string;
  readonly zone: string;
  readonly every: number;
  readonly takes: number;
  readonly fails?: Status;
}

const ZONE = "Europe/Lisbon";

/** The fleet: what a shop runs at night. */
export const FLEET: readonly Made[] = [
  {
    name: "backup.database",
    words: "At 02:00 (Europe/Lisbon)",
    zone: ZONE,
    every: 24 * HOUR,
    takes: 1_260_000,
    fails: "failed",
  },
  { name: "backup.files", words: "At 02:30 (Europe/Lisbon)", zone: ZONE, every: 24 * HOUR, takes: 2_700_000 },
  { name: "billing.close-day", words: "At 23:55 (Europe/Lisbon)", zone: ZONE, every: 24 * HOUR, takes: 340_000 },
  {
    name: "billing.invoices",
    words: "At 06:00, Monday to Friday (Europe/Lisbon)",
    zone: ZONE,
    every: 24 * HOUR,
    takes: 900_000,
  },
  { name: "cache.warm", words: "Every 15 minutes", zone: "UTC", every: HOUR / 4, takes: 21_000 },
  { name: "certificates.renew", words: "At 04:10 (UTC)", zone: "UTC", every: 24 * HOUR, takes: 9_000 },
  { name: "etl.orders", words: "Every hour", zone: "UTC", every: HOUR, takes: 760_000, fails: "timeout" },
  {
    name: "etl.stock-levels-of-all-warehouses",
    words: "Every 30 minutes",
    zone: "UTC",
    every: HOUR / 2,
    takes: 330_000,
    fails: "lost",
  },
  {
    name: "exchange-rates",
    words: "At minute 5 past every hour (America/New_York)",
    zone: "America/New_York",
    every: HOUR,
    takes: 2_400,
  },
  {
    name: "index.rebuild",
    words: "At 03:15 on Sunday (Europe/Lisbon)",
    zone: ZONE,
    every: 168 * HOUR,
    takes: 9_000_000,
  },
  { name: "mail.digest", words: "At 07:00 (Europe/Lisbon)", zone: ZONE, every: 24 * HOUR, takes: 84_000 },
  { name: "mail.queue", words: "Every 5 minutes", zone: "UTC", every: HOUR / 12, takes: 4_000 },
  { name: "partners.sftp-import", words: "Every 2 hours", zone: "UTC", every: 2 * HOUR, takes: 190_000 },
  { name: "report.weekly", words: "At 05:00 on Monday (Europe/Lisbon)", zone: ZONE, every: 168 * HOUR, takes: 520_000 },
  { name: "sessions.clean-up", words: "Every 10 minutes", zone: "UTC", every: HOUR / 6, takes: 1_100 },
  { name: "thumbnails", words: "Every 20 minutes", zone: "UTC", every: HOUR / 3, takes: 150_000 },
];

/** A number from 0 to 1 that is the same each time. */
function chance(...of: readonly (string | number)[]): number {
  let hash = 2_166_136_261;
  for (const letter of of.join("|")) hash = Math.imul(hash ^ letter.charCodeAt(0), 16_777_619);
  return ((hash >>> 8) % 10_000) / 10_000;
}

const HOLDERS = [
  { host: "worker-1", pid: 4_711, instance: "0d1f5a" },
  { host: "worker-2", pid: 812, instance: "77c0aa" },
  { host: "worker-3.eu-west-1.internal", pid: 23_190, instance: "b42e19" },
];

const holderOf = (key: string): (typeof HOLDERS)[number] =>
  HOLDERS[Math.floor(chance(key) * 3)] as (typeof HOLDERS)[number];

const ERRORS: Partial<Record<Status, string>> = {
  failed:
    'pg_dump: error: connection to server at "db-2" (10.0.4.12), port 5432 failed: FATAL: too many connections for role "backup"',
  timeout: "the run took longer than its timeout of 15 m",
  lost: "its process died: no renewal of its session for 15 s",
};

/** The runs of a job between two times, the oldest first. */
export function runsOf(job: Made, from: number, to: number): readonly RunItem[] {
  const runs: RunItem[] = [];
  for (let tick = Math.ceil(from / job.every) * job.every; tick < to; tick += job.every) {
    const luck = chance(job.name, tick);
    const status: Status = luck < 0.06 && job.fails !== undefined ? job.fails : luck > 0.985 ? "skipped" : "completed";
    const startTime = tick + Math.round(luck * 400);
    const duration = Math.round(job.takes * (0.7 + chance(tick, job.name) * 0.6));
    const id = `${job.name}@${new Date(startTime).toISOString()}`;
    const error = ERRORS[status];
    runs.push({
      ...{ id, name: job.name, status, startTime, endTime: startTime + duration, duration, trigger: "schedule", tick },
      ...{ holder: holderOf(id), attempt: luck < 0.06 ? 2 : 1 },
      ...(error !== undefined && { error }),
    });
  }
  return runs;
}

/** What became of a job, and what is to come. */
export function jobOf(job: Made, now: number): Job {
  const runs = runsOf(job, now - job.every * 24, now - job.takes * 1.4);
  const last = runs.at(-1);
  const durations = runs.filter(({ status }) => status === "completed").map(({ duration = 0 }) => duration);
  const paused = { reason: "the partner moves its server, see ticket 4711", by: "nuno", at: now - 5 * HOUR };
  const sorted = [...durations].sort((a, b) => a - b);
  const running = runningNow(now).find(({ name }) => name === job.name)?.id;
  return {
    name: job.name,
    schedule: { words: job.words, zone: job.zone, ...(job.name.startsWith("partners") && { paused }) },
    next: Math.ceil(now / job.every) * job.every,
    ...(last && { last, streak: (last.status === "completed" ? 1 : -1) * (1 + Math.floor(chance(job.name) * 40)) }),
    lastWell: now - job.every,
    ...(running !== undefined && { running }),
    ...{ p50: sorted[Math.floor(sorted.length / 2)] ?? 0, p95: sorted.at(-2) ?? 0 },
    rate: runs.filter(({ status }) => status === "completed" || status === "skipped").length / Math.max(1, runs.length),
    durations: durations.slice(-20),
  };
}

/** Some ticks to come. */
export function ticksAfter(job: Made, now: number, n: number): readonly TickView[] {
  const first = Math.ceil(now / job.every) * job.every;
  return Array.from({ length: n }, (_, i) => ({
    ...{ schedule: job.name, at: first + i * job.every, due: first + i * job.every },
    ...(job.name.startsWith("partners") && { skipped: "paused" as const, text: "the schedule is paused" }),
  }));
}

/** Some ticks that were not run. */
export function ticksBefore(job: Made, now: number): readonly TickView[] {
  const last = Math.floor(now / job.every) * job.every;
  const made = (back: number, rest: Partial<TickView>): TickView => ({
    schedule: job.name,
    at: last - back * job.every,
    due: last - back * job.every,
    ...rest,
  });
  const skipped = { outcome: "skipped", reason: "overlap", text: "the job was running, or its lock was held" } as const;
  const missed = { outcome: "missed", reason: "nobody-there", text: "nobody was there" } as const;
  return [made(1, skipped), made(4, { ...missed, until: last - 3 * job.every, count: 2 })];
}

const begun = Date.now();

/** What runs now. */
export function runningNow(now: number): readonly Running[] {
  const made = (name: string, ago: number, rest: Partial<Running>): Running => {
    const startTime = begun - ago;
    return {
      ...{
        id: `${name}@${new Date(startTime).toISOString()}`,
        name,
        startTime,
        elapsed: now - startTime,
        status: "running",
      },
      ...{ trigger: "schedule", holder: holderOf(name), fence: "00000001a4", waiting: 0 },
      lease: { until: now + 15_000 - (now % 5_000), renewed: now - (now % 5_000) },
      ...rest,
    };
  };
  const rows = Math.min(48_000, Math.round((now - begun) / 20) + 31_000);
  return [
    made("etl.orders", 412_000, {
      p50: 760_000,
      p95: 980_000,
      progress: { done: rows, total: 48_000, text: "copying rows", at: now },
      waiting: 2,
    }),
    made("index.rebuild", 11_400_000, { p50: 9_000_000, p95: 10_200_000, attempt: 2 }),
    made("thumbnails", 64_000, { p50: 150_000, p95: 201_000 }),
    made("import.one-off", 4_000, { trigger: "manual" }),
  ];
}

/** The page "Now". */
export function nowOf(now: number): Now {
  const ticks = FLEET.flatMap((job) => ticksAfter(job, now, 12)).filter(({ due }) => due < now + 24 * HOUR);
  return {
    at: now,
    problems: [
      {
        kind: "failed",
        name: "backup.database",
        at: now - 3 * HOUR,
        text: ERRORS.failed ?? "",
        run: `backup.database@${new Date(now - 3 * HOUR).toISOString()}`,
      },
      {
        kind: "lost",
        name: "etl.stock-levels-of-all-warehouses",
        at: now - 41 * 60_000,
        text: ERRORS.lost ?? "",
        run: "etl.stock-levels-of-all-warehouses@2026-11-26T23:30:00.000Z",
      },
      {
        kind: "nobody",
        name: "index.rebuild",
        at: now - 26 * HOUR,
        text: "no process that runs these schedules is there",
        jobs: { n: 2, names: ["index.rebuild", "report.weekly"] },
      },
      {
        kind: "overdue",
        name: "billing.close-day",
        at: now - 5 * 60_000,
        text: "a tick is due since 5 m, and nobody has decided it",
      },
      {
        kind: "long",
        name: "index.rebuild",
        at: now - 1_200_000,
        text: "it runs for longer than 19 of 20 of its runs",
      },
      {
        kind: "paused",
        name: "partners.sftp-import",
        at: now - 5 * HOUR,
        text: "paused by nuno: the partner moves its server, see ticket 4711",
      },
      { kind: "held", name: "cache.warm", at: now - 12 * 60_000, text: "held by rita until 03:00: new cluster" },
    ],
    running: runningNow(now),
    waiting: [{ name: "etl.orders", n: 2 }],
    next: [...ticks].sort((a, b) => a.due - b.due).slice(0, 50),
    schedulers: 3,
    truncated: false,
  };
}

const LINES = [
  "\u001b[32m✓\u001b[0m connected to db-1 in 14 ms",
  "copying table orders (\u001b[1m1,204,112\u001b[0m rows)",
  "  chunk {n} of 480 written, 2,500 rows, \u001b[36m41 MB/s\u001b[0m",
  "\u001b[33mslow query\u001b[0m: 1,204 ms · SELECT id, total FROM orders WHERE updated_at > $1 ORDER BY id LIMIT 2500 OFFSET {n}00",
  "checkpoint {n}",
];

/** A line of a log. */
export function lineOf(line: number, startTime: number): LogItem {
  const text = (LINES[line < 3 ? line - 1 : 2 + (line % 3)] ?? "").replaceAll("{n}", String(line));
  const level = line % 97 === 0 ? "warn" : line % 211 === 0 ? "error" : line % 7 === 0 ? "stdout" : "info";
  return { line, offset: line * 60, at: startTime + line * 40, level, text };
}
