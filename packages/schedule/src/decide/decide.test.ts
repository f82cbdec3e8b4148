import { describe, expect, it } from "vitest";
import type { CheckedDefinition } from "../definition/types.js";
import type { Cursor, Pause } from "../store/schema.js";
import { blocked, type Decision, decide, moveTo, type State, settleAll } from "./decide.js";

const HOUR = 3_600_000;
const at = (time: string): number => Date.parse(`2026-05-01T${time}Z`);
const HOURLY: CheckedDefinition = { cron: "0 * * * *" };

const PAUSE = { reason: "r", by: "b", at: at("01:00") };

function state(now: string, cursor: string | Cursor, definition: CheckedDefinition = HOURLY, paused?: Pause): State {
  const schedule = { name: "a", definition, hash: "h", revision: 1, past: [], since: 0, ...(paused && { paused }) };
  return {
    schedule,
    cursor: typeof cursor === "string" ? { at: at(cursor) } : cursor,
    now: at(now),
    began: at("00:00"),
  };
}

/** A decision as a short text. */
function short(decision: Decision): string {
  const time = (instant: number): string => new Date(instant).toISOString().slice(11, 16);
  if (decision.type === "wait") return `wait ${time(decision.due)}`;
  const { cursor } = decision;
  const line = `${decision.type} ${time(cursor.at)}${(cursor.waiting ?? []).map((tick) => ` +${time(tick)}`).join("")}`;
  if (decision.type !== "settle") return line;
  const ticks = decision.ticks.map(({ at: tick, value: { reason, until, count } }) => {
    return `${time(tick)}${until === undefined ? "" : `-${time(until)} (${count})`} ${reason}`;
  });
  return [line, ...ticks].join(", ");
}

describe("what is decided on ticks", () => {
  it.each<[string, State, string]>([
    ["is not due", state("01:59", "01:00"), "wait 02:00"],
    ["is due", state("02:00", "01:00"), "start 02:00"],
    ["is a little late", state("02:01", "01:00"), "start 02:00"],
    ["is late, and the policy is latest", state("02:30", "01:00"), "start 02:00"],
    [
      "is late, and the policy is none",
      state("02:30", "01:00", { ...HOURLY, missed: "none" }),
      "settle 02:00, 02:00 policy",
    ],
    [
      "is too late",
      state("02:30", "01:00", { ...HOURLY, missed: { run: "latest", within: HOUR / 4 } }),
      "settle 02:00, 02:00 too-late",
    ],
    ["is one of several", state("05:30", "01:00"), "settle 04:00, 02:00-04:00 (3) not-latest"],
    ["is the newest of several", state("05:30", "04:00"), "start 05:00"],
    [
      "is one of several with none",
      state("05:00", "01:00", { ...HOURLY, missed: "none" }),
      "settle 04:00, 02:00-04:00 (3) policy",
    ],
    [
      "is one of several with all",
      state("05:30", "01:00", { ...HOURLY, missed: "all" }),
      "settle 05:00 +02:00 +03:00 +04:00 +05:00",
    ],
    [
      "is one of too many",
      state("05:30", "01:00", { ...HOURLY, missed: { run: "all", max: 2 } }),
      "settle 05:00 +04:00 +05:00, 02:00-03:00 (2) too-many",
    ],
    [
      "is one of several of which some are too late",
      state("05:30", "01:00", { ...HOURLY, missed: { run: "all", within: 2 * HOUR } }),
      "settle 05:00 +04:00 +05:00, 02:00-03:00 (2) too-late",
    ],
    [
      "was due before any process was there",
      { ...state("02:30", "01:00", { ...HOURLY, missed: { run: "latest", downtime: false } }), began: at("02:15") },
      "settle 02:00, 02:00 no-scheduler",
    ],
    [
      "was due before any process was there, by default",
      { ...state("02:30", "01:00"), began: at("02:15") },
      "settle 02:00, 02:00 no-scheduler",
    ],
    [
      "was missed by a process that was there",
      { ...state("02:30", "01:00", { ...HOURLY, missed: { run: "latest", downtime: false } }), began: at("01:15") },
      "start 02:00",
    ],
    [
      "is due exactly when a pause ends",
      state("02:00", "01:00", HOURLY, { ...PAUSE, until: at("02:00") }),
      "start 02:00",
    ],
    [
      "is found later, and was due exactly when a pause ended",
      state("04:30", "01:00", { ...HOURLY, missed: "all" }, { ...PAUSE, until: at("03:00") }),
      "settle 02:00, 02:00 paused",
    ],
    [
      "was due exactly when a pause ended, and is found alone",
      state("03:30", "02:00", { ...HOURLY, missed: "latest" }, { ...PAUSE, until: at("03:00") }),
      "start 03:00",
    ],
    [
      "is in a blackout",
      state("02:00", "01:00", { ...HOURLY, blackout: [{ from: at("02:00"), to: at("02:30") }] }),
      "settle 02:00, 02:00 blackout",
    ],
    [
      "is found in a blackout",
      state("02:30", "01:00", { ...HOURLY, blackout: [{ from: at("02:10"), to: at("02:45") }] }),
      "settle 02:00, 02:00 blackout",
    ],
    [
      "is decided by a wrong date",
      { ...state("02:30", "01:00"), cursor: { at: at("02:30") + 25 * HOUR } },
      "reset 02:30",
    ],
    [
      "was decided by a clock that is a little ahead",
      { ...state("02:30", "01:00"), cursor: { at: at("03:15") } },
      "wait 04:00",
    ],
  ])("a tick that %s", (_, given, expected) => {
    expect(short(decide(given))).toBe(expected);
  });

  const pause = (from: string, until?: string): Pause => ({
    reason: "disk full",
    by: "ana",
    at: at(from),
    ...(until !== undefined && { until: at(until) }),
  });
  it.each<[string, State, string]>([
    ["during the pause", state("02:00", "01:00", HOURLY, pause("01:30")), "settle 02:00, 02:00 paused"],
    [
      "during the pause, undecided for hours",
      state("04:10", "01:00", HOURLY, pause("01:30")),
      "settle 04:00, 02:00-04:00 (3) paused",
    ],
    [
      "after the pause",
      state("04:10", "01:00", HOURLY, pause("01:30", "03:30")),
      "settle 03:00, 02:00-03:00 (2) paused",
    ],
    ["after the pause, and due after it", state("04:10", "03:00", HOURLY, pause("01:30", "03:30")), "start 04:00"],
    [
      "before the pause, and not decided",
      state("02:05", "01:00", HOURLY, pause("02:04")),
      "settle 02:00, 02:00 paused",
    ],
    [
      "that waited",
      state("02:05", { at: at("02:00"), waiting: [at("01:00"), at("02:00")] }, HOURLY, pause("02:04")),
      "settle 02:00, 01:00 paused, 02:00 paused",
    ],
  ])("a tick of a paused schedule, decided %s", (_, given, expected) => {
    expect(short(decide(given))).toBe(expected);
  });

  it.each<[CheckedDefinition["overlap"], number, string]>([
    ["skip", 1, "settle 04:00 +02:00, 04:00 overlap"],
    ["queue", 1, "settle 04:00 +02:00 +04:00"],
    ["replace", 1, "settle 04:00 +04:00, 02:00 replaced"],
    ["queue", 100, "04:00 queue-full"],
  ])("a tick that is due while others wait, with overlap %s (%i wait)", (overlap = "skip", count, expected) => {
    const waiting = Array.from({ length: count }, () => at("02:00"));
    expect(short(decide(state("04:00", { at: at("03:00"), waiting }, { ...HOURLY, overlap })))).toContain(expected);
  });

  it.each<[CheckedDefinition["overlap"], string]>([
    ["skip", "settle 02:00, 02:00 overlap"],
    ["queue", "settle 02:00 +02:00"],
    ["replace", "settle 02:00 +02:00"],
  ])("a tick whose lock is held, with overlap %s", (overlap = "skip", expected) => {
    expect(short(blocked(state("02:00", "01:00", { ...HOURLY, overlap }), at("02:00"), {}))).toBe(expected);
  });

  it("ticks that come after one another are decided with a count that ends at ten thousand", () => {
    const each = { ...state("02:00", "01:00", { every: 1_000 }), cursor: { at: at("02:00") - 365 * 24 * HOUR } };
    expect(decide(each)).toMatchObject({ type: "settle", ticks: [{ value: { count: 10_000, more: true } }] });
  });
});

describe("a new definition", () => {
  it("changes nothing of the ticks if it is due at the same times", () => {
    const given = state("05:30", "01:00");
    expect(moveTo({ ...HOURLY, timeout: 5 }, given)).toEqual({ cursor: given.cursor, ticks: [] });
  });

  it("begins now, and ticks of the old one that no process decided are run or missed by its policy", () => {
    const given = state("05:30", "01:00");
    const { cursor, ticks } = moveTo({ cron: "15 * * * *" }, given);
    expect(cursor).toEqual({ at: at("05:30"), waiting: [at("05:00")] });
    expect(ticks).toEqual([
      {
        at: at("02:00"),
        value: { outcome: "missed", reason: "not-latest", until: at("04:00"), count: 3, calendar: HOURLY },
      },
    ]);
    expect(moveTo({ cron: "15 * * * *", missed: "none" }, given)).toMatchObject({
      cursor: { at: at("05:30") },
      ticks: [{ value: { reason: "policy" } }, { value: { reason: "policy" } }],
    });
  });

  it("runs a tick of the old one whose jitter is not over", () => {
    const given = state("02:00", "01:00", { ...HOURLY, jitter: HOUR });
    expect(decide(given)).toMatchObject({ type: "wait" });
    expect(moveTo({ cron: "15 * * * *" }, given)).toEqual({
      cursor: { at: at("02:00"), waiting: [at("02:00")] },
      ticks: [],
    });
  });

  it("of a paused schedule runs nothing", () => {
    const paused = { reason: "r", by: "b", at: at("01:00") };
    const { cursor, ticks } = moveTo({ cron: "15 * * * *" }, state("02:30", "01:00", HOURLY, paused));
    expect(cursor).toEqual({ at: at("02:30") });
    expect(ticks).toMatchObject([{ at: at("02:00"), value: { reason: "paused" } }]);
  });
});

it("all ticks that wait or are due get one outcome when a schedule is removed", () => {
  const given = state("04:10", { at: at("02:00"), waiting: [at("02:00")] });
  const { cursor, ticks } = settleAll(given, { outcome: "refused", reason: "removed" });
  expect(cursor).toEqual({ at: at("04:00") });
  expect(ticks).toMatchObject([{ at: at("02:00") }, { at: at("03:00"), value: { until: at("04:00"), count: 2 } }]);
});
