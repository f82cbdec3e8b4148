import { openScheduler, type Scheduler, type ScheduleTick } from "@ojm/schedule";
import { expect, test } from "vitest";
import { type FakeClock, seeded } from "../../core/src/testing/fake-clock.js";
import { collect } from "../../core/src/testing/settle.js";
import type { Call, Fault } from "../../core/src/testing/stores/faulty-backend.js";
import { type ManagerOf, World } from "../../core/src/testing/world.js";
import { openWith } from "./open.js";
import { FakeReceiver } from "./testing/receiver.js";
import type { Alert, AlertsOptions } from "./types.js";

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
const GRACE = 2 * MINUTE;
const LATER = 3 * MINUTE;

const FAULTS: readonly Fault[] = [
  { type: "refused" },
  { type: "reply lost" },
  { type: "request lost" },
  { type: "slow reply", ms: 300 },
  { type: "late", ms: 2_000 },
];

const SCHEDULES = {
  none: { every: 5 * MINUTE, missed: "none" },
  latest: { every: 10 * MINUTE, missed: "latest" },
  all: { every: 15 * MINUTE, missed: { run: "all", max: 2 }, overlap: "queue" },
} as const;

const SEED = Number(process.env["OJM_SEED"] ?? 1);

/** Ticks that were missed together, because no process ran at that time. */
interface Gap {
  readonly at: number;
  readonly until: number;
  readonly decided: number;
}

function gapsIn(ticks: readonly ScheduleTick[]): Gap[] {
  const gaps: Gap[] = [];
  for (const { at, until = at, outcome, decided } of ticks) {
    if (outcome !== "missed" || decided === undefined) continue;
    const last = gaps.at(-1);
    if (last !== undefined && at <= last.decided) gaps[gaps.length - 1] = { ...last, until };
    else gaps.push({ at, until, decided });
  }
  return gaps;
}

/** A process that can be killed. */
interface Process {
  readonly way: ManagerOf["way"];
  /** Ends its timers. Its store rejects every call by then. */
  readonly end: () => Promise<void>;
}

function kill(processes: readonly Process[]): void {
  for (const { way, end } of processes) {
    way.fault = () => ({ type: "refused" });
    void end().catch(() => {});
  }
}

async function addAll({ manager }: ManagerOf, clock: FakeClock, chance: () => number): Promise<Scheduler> {
  const scheduler = openScheduler(manager, { clock });
  for (const [name, definition] of Object.entries(SCHEDULES)) {
    const body = (): Promise<void> => new Promise((resolve) => void clock.after(chance() * MINUTE, resolve));
    await clock.until(scheduler.add(name, definition, body));
  }
  return scheduler;
}

for (let seed = SEED; seed < SEED + 4; seed++) {
  test(`each gap is reported once, and each run that began late, while schedulers and alerts die (seed ${seed})`, {
    tags: seed === SEED ? [] : ["full"],
  }, async () => {
    const world = new World(seed);
    const { clock } = world;
    const chance = seeded(seed);
    const receiver = new FakeReceiver();
    let calm = false;
    receiver.answer = () => (calm || chance() > 0.2 ? { type: "taken" } : { type: "later", why: "it answered 503" });
    const fault = (_: Call): Fault | undefined =>
      calm || chance() > 0.01 ? undefined : FAULTS[Math.floor(chance() * FAULTS.length)];
    const rules: AlertsOptions["rules"] = [
      { on: ["missed", "late"], grace: GRACE, later: LATER, to: { webhook: "https://example.com" } },
    ];
    const alerting = async (): Promise<Process> => {
      const { manager, way } = await world.manager({ supports: { shared: "network" } });
      const alerts = await clock.until(openWith(manager, { rules, clock }, receiver.send));
      way.fault = fault;
      return { way, end: () => alerts.close().then(() => manager.close()) };
    };
    const scheduling = async (): Promise<Process> => {
      const one = await world.manager({ supports: { shared: "network" } });
      const scheduler = await addAll(one, clock, chance);
      one.way.fault = fault;
      return { way: one.way, end: () => scheduler.close().then(() => one.manager.close()) };
    };
    let watchers = [await alerting(), await alerting()];
    let schedulers = [await scheduling(), await scheduling()];
    for (let i = 0; i < 12; i++) {
      await clock.advance(chance() * 12 * MINUTE);
      if (chance() < 0.4) {
        kill(schedulers);
        await clock.advance(chance() * 30 * MINUTE);
        schedulers = [await scheduling(), await scheduling()];
      }
      if (chance() < 0.3) {
        kill(watchers);
        await clock.advance(chance() * 20 * MINUTE);
        watchers = [await alerting(), await alerting()];
      }
    }
    calm = true;
    await clock.advance(HOUR);

    const { manager } = await world.manager({ supports: { shared: "network" } });
    const reader = openScheduler(manager, { clock });
    expect(new Set(receiver.tried.map(({ id }) => id)).size).toBe(idsOf(receiver.taken).size);
    for (const name of Object.keys(SCHEDULES)) {
      const ticks = (await clock.until(collect(reader.ticks(name)))).toReversed();
      const missed = alertsOf(receiver.taken, "missed", name);
      const gaps = gapsIn(ticks);
      for (const gap of gaps) {
        const about = missed.filter((at) => at >= gap.at && at <= gap.until);
        expect([name, new Date(gap.at), about.length]).toEqual([name, new Date(gap.at), 1]);
      }
      // A reported tick outside every gap was run later than its grace.
      for (const at of missed.filter((one) => !gaps.some((gap) => one >= gap.at && one <= gap.until))) {
        const tick = ticks.find((one) => one.at === at);
        expect((tick?.decided ?? Number.POSITIVE_INFINITY) - at).toBeGreaterThan(GRACE);
      }
      const late = ticks.filter(({ run, at }) => run !== undefined && startOf(run) - at > LATER).map(({ at }) => at);
      expect([name, alertsOf(receiver.taken, "late", name)]).toEqual([name, late]);
    }
    expect(alertsOf(receiver.taken, "missed", "none").length).toBeGreaterThan(0);
    await clock.advance(SECOND);
  });
}

function idsOf(alerts: readonly Alert[]): Set<string> {
  return new Set(alerts.map(({ id }) => id));
}

/** The ticks of alerts, each alert once, oldest first. */
function alertsOf(alerts: readonly Alert[], kind: string, name: string): number[] {
  const ids = new Map(alerts.filter((one) => one.kind === kind && one.name === name).map((one) => [one.id, one.tick]));
  return [...ids.values()].map((tick) => Date.parse(tick ?? "")).sort((a, b) => a - b);
}

function startOf(run: string): number {
  return Date.parse(run.slice(run.lastIndexOf("@") + 1));
}
