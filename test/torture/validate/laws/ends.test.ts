import { describe, expect, it } from "vitest";
import type { Event, StockRecord } from "../../scene/events.js";
import type { Member } from "../../scene/member.js";
import type { Excuse, Scene, Trouble } from "../../scene/scene.js";
import { evidenceOf, memberWith, type RunTimes, runEvents } from "../hand-made.js";
import { judgeLosses, judgeRecords } from "./ends.js";

interface Facts {
  readonly excuses?: readonly Excuse[];
  readonly troubles?: readonly Trouble[];
  readonly dataLost?: Scene["dataLost"];
  readonly more?: readonly Event[];
  readonly member?: Partial<Member>;
}

/** The violations for a run whose caller got `outcome` and whose record has `status`. */
function records(outcome: string, status: string | undefined, { more = [], member, ...facts }: Facts = {}): string[] {
  const times: RunTimes = { since: 100, exit: 120, settled: [125, outcome] };
  const members = [memberWith([...runEvents("1", times), ...more], member)];
  const stock = status === undefined ? [] : [{ name: "a", fence: "1", status }];
  return judgeRecords(evidenceOf(members, { ...facts, records: stock })).map(({ law }) => law);
}

const WRONG = ["one end, the right one"];
const robbed: Facts = { excuses: [{ name: "a", from: 110, to: 111 }] };
const away: Facts = { troubles: [{ from: 110, to: 130 }] };

describe("the record of a run", () => {
  it("a record that differs from the answer to its caller is a violation", () => {
    for (const [outcome, status] of [
      ["completed", "completed"],
      ["failed", "failed"],
      ["LOST", "lost"],
    ] as const) {
      expect(records(outcome, status)).toEqual([]);
      expect(records(outcome, status === "lost" ? "completed" : "lost")).toEqual(WRONG);
    }
    expect(records("completed", undefined)).toEqual(WRONG);
  });

  it("a record is closed once, unless a replaced master announces late what it could not acknowledge", () => {
    const evidence = evidenceOf([memberWith(runEvents("1", { since: 100, exit: 120, settled: [125, "LOST"] }))], {
      records: [{ name: "a", fence: "1", status: "lost" }],
    });
    const closings = new Map([["a", [130, 900].map((t) => ({ t, status: "lost" }))]]);
    const judged = (lateNews?: Scene["lateNews"]): string[] =>
      judgeRecords({ ...evidence, closings, scene: { ...evidence.scene, lateNews } as Scene }).map(({ law }) => law);
    expect(judged()).toEqual(WRONG);
    expect(judged({ from: 850, to: 901 })).toEqual([]);
    expect(judged({ from: 910, to: 950 })).toEqual(WRONG);
  });

  it("a record differs from the answer to its caller only with a reason", () => {
    expect(records("failed", "lost", robbed)).toEqual([]);
    expect(records("failed", "cancelled")).toEqual(WRONG);
    expect(records("failed", "cancelled", robbed)).toEqual([]);
    expect(records("store:TIMEOUT", "completed")).toEqual(WRONG);
    expect(records("store:TIMEOUT", "completed", away)).toEqual([]);
    expect(records("CANCELLED", "cancelled")).toEqual(WRONG);
    expect(records("CANCELLED", "cancelled", { more: [{ e: "stopping", t: 110 }] })).toEqual([]);
    expect(records("TIMEOUT", "lost")).toEqual(WRONG);
  });

  it("a record says cancelled after a force unlock, whatever the run does after that", () => {
    const more: Event[] = [{ e: "unlocked", name: "a", taken: true, fence: "1", t: 111 }];
    expect(records("completed", "completed", { ...robbed, more })).toEqual(WRONG);
    expect(records("LOST", "cancelled", { ...robbed, more })).toEqual([]);
  });

  it("a record says cancelled if the lock that a lost run left behind is taken by force later", () => {
    const later: Facts = { excuses: [{ name: "a", fence: "1", byForce: true, from: 200, to: 201 }] };
    expect(records("LOST", "cancelled", later)).toEqual([]);
    expect(records("LOST", "cancelled")).toEqual(WRONG);
    expect(records("failed", "cancelled", later)).toEqual(WRONG);
    expect(records("TIMEOUT", "cancelled", later)).toEqual(WRONG);
  });

  it("a record says cancelled after a force unlock before the body began, even if no event shows the grant", () => {
    const run: RunTimes = { since: 100, enter: 112, signal: [113, "LOST"], settled: [114, "LOST"] };
    const events = runEvents("1", run).filter(({ e }) => e !== "granted" && e !== "renewed");
    const robbedBefore: Excuse = { name: "a", fence: "1", byForce: true, from: 108, to: 110 };
    const facts = { records: [{ name: "a", fence: "1", status: "cancelled" }] };
    const laws = (excuse: Excuse): string[] =>
      judgeRecords(evidenceOf([memberWith(events)], { ...facts, excuses: [excuse] })).map(({ law }) => law);
    expect(laws(robbedBefore)).toEqual([]);
    expect(laws({ ...robbedBefore, fence: "0" })).toEqual(WRONG);
    expect(laws({ ...robbedBefore, name: "b" })).toEqual(WRONG);
    // A heartbeat later, its signal would have fired.
    expect(laws({ ...robbedBefore, from: -400, to: -390 })).toEqual(WRONG);
  });

  it("a record is missing only if the run was requested before the store lost its data", () => {
    expect(records("completed", undefined, { dataLost: { from: 90, to: 110 } })).toEqual([]);
    expect(records("LOST", undefined, { dataLost: { from: 90, to: 95 } })).toEqual(WRONG);
  });

  it("a record of a run from before a loss of data is not taken for that of a later run with the same fence", () => {
    const dataLost = { from: 90, to: 95 };
    const members = [memberWith(runEvents("1", { since: 100, exit: 120, settled: [125, "completed"] }))];
    const [asked] = members[0]?.all("asked") ?? [];
    const wall = (t: number): number => (asked?.wall ?? 0) + t - (asked?.t ?? 0);
    const own = { name: "a", fence: "1", status: "completed", startTime: wall(99) };
    let outgrowsLoss = false;
    const laws = (...records: StockRecord[]): string[] =>
      judgeRecords(evidenceOf(members, { outgrowsLoss, dataLost, records })).map(({ law }) => law);
    expect(laws(own, { ...own, status: "lost", startTime: wall(80) })).toEqual([]);
    expect(laws(own, { ...own, status: "lost", startTime: wall(100) })).toEqual(WRONG);
    expect(laws(own, { ...own, fence: "0", status: "lost", startTime: wall(80) })).toEqual([]);
    expect(laws(own, { ...own, fence: "0", status: "lost", startTime: wall(97) })).toEqual(WRONG);
    // A store in which no fence comes twice has no such records.
    outgrowsLoss = true;
    expect(laws(own, { ...own, fence: "0", status: "lost", startTime: wall(80) })).toEqual(WRONG);
  });

  it("a record belongs to a run that had the lock, or to an attempt that was not answered", () => {
    const of = (status: string, events: readonly Event[], member: Partial<Member> = {}): string[] => {
      const facts = { records: [{ name: "a", fence: "7", status }] };
      return judgeRecords(evidenceOf([memberWith(events, member)], facts)).map(({ law }) => law);
    };
    const unanswered: Event = { e: "unanswered", name: "a", token: "x", unknown: true, t: 5 };
    expect(of("lost", [])).toEqual(WRONG);
    expect(of("lost", [{ ...unanswered, name: "b" }])).toEqual(WRONG);
    expect(of("lost", [unanswered])).toEqual([]);
    expect(of("completed", [unanswered])).toEqual(WRONG);
    expect(of("lost", [], { killedAt: 6 })).toEqual([]);
  });
});

describe("the loss of a lock", () => {
  const losses = (
    times: RunTimes,
    facts: { readonly shared?: boolean; readonly excuses?: readonly Excuse[] } = {},
  ): string[] => judgeLosses(evidenceOf([memberWith(runEvents("1", times))], facts)).map(({ law }) => law);
  const LAW = ["no loss without a reason"];

  it("a lock that is lost before the end of its lease without a reason is a violation", () => {
    expect(losses({ since: 0, signal: [700, "LOST"] })).toEqual(LAW);
    expect(losses({ since: 0, signal: [700, "LOST"] }, { excuses: [{ session: "s", from: 690, to: 691 }] })).toEqual(
      [],
    );
    expect(losses({ since: 0, signal: [700, "LOST"] }, { excuses: [{ session: "t", from: 690, to: 691 }] })).toEqual(
      LAW,
    );
    expect(losses({ since: 0, signal: [801, "LOST"] })).toEqual([]);
  });

  it("a loss without a reason says what the signal gave as its reason", () => {
    const why = "the session s is over: its entry was removed from the store";
    const [violation] = judgeLosses(evidenceOf([memberWith(runEvents("1", { since: 0, signal: [700, "LOST", why] }))]));
    expect(violation?.text).toContain(why);
  });

  // The answer to a renewal was noted 34 ms before the end of the lease. Then the process did not run for 137
  // ms, found the lease over, and fired the signal of its body.
  it("a lock may be lost if its process stood still between the answer to a renewal and its look at the clock", () => {
    const renewed: Event = { e: "renewed", session: "s", sent: 490, t: 665 };
    const lag: Event = { e: "lag", from: 563, to: 862, t: 863 };
    const run = runEvents("1", { since: 0, signal: [803, "LOST"] });
    const laws = (...events: Event[]): string[] =>
      judgeLosses(evidenceOf([memberWith([...run, renewed, ...events])], { ttl: 700 })).map(({ law }) => law);
    expect(laws(lag)).toEqual([]);
    expect(laws({ ...lag, to: 666, t: 667 })).toEqual(LAW);
    expect(laws()).toEqual(LAW);
  });

  it("a lock that is lost in a store of one process without a reason is a violation, however late", () => {
    expect(losses({ since: 0, signal: [5_000, "LOST"] }, { shared: false })).toEqual(LAW);
    expect(losses({ since: 0, timeout: 40, signal: [100, "LOST"] }, { shared: false })).toEqual(LAW);
    expect(losses({ since: 0, timeout: 40, signal: [40, "TIMEOUT"] }, { shared: false })).toEqual([]);
  });
});
