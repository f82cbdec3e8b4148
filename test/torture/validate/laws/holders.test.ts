import { describe, expect, it } from "vitest";
import type { Event } from "../../scene/events.js";
import type { Member } from "../../scene/member.js";
import type { Excuse, Trouble } from "../../scene/scene.js";
import { evidenceOf, memberWith, type RunTimes, runEvents } from "../hand-made.js";
import { judgeFences } from "./fences.js";
import { judgeHolders } from "./holders.js";

interface Facts {
  readonly excuses?: readonly Excuse[];
  readonly troubles?: readonly Trouble[];
  readonly shared?: boolean;
}

/** Two workers, with one run each, and further entries of their journals. */
function two(first: RunTimes, second: RunTimes, more: readonly Event[] = [], others: readonly Event[] = []): Member[] {
  return [
    memberWith([...runEvents("1", first), ...more]),
    memberWith([...runEvents("2", { session: "t", ...second }), ...others], { index: 1 }),
  ];
}

function judge(members: readonly Member[], facts: Facts = {}): string[] {
  const evidence = evidenceOf(members, facts);
  return [...judgeHolders(evidence).violations, ...judgeFences(evidence)].map(({ law }) => law);
}

const lag = (from: number, to: number): Event => ({ e: "lag", from, to, t: to });
const computed = (from: number, to: number): Event => ({ e: "computed", id: "run 1", from, to, t: to });
const unobserved = (members: Member[]): Member[] =>
  members.map((it) =>
    memberWith(
      it.events.filter(({ e }) => e !== "granted" && e !== "renewed"),
      { index: it.index },
    ),
  );

describe("two runs at once", () => {
  it("two runs at once are not excused by news of a node that acknowledges nothing", () => {
    const members = two({ since: 0, exit: 300 }, { since: 100, exit: 200 });
    const excuse = { from: 90, to: 110 };
    expect(judge(members, { excuses: [excuse] })).toEqual([]);
    expect(judge(members, { excuses: [{ ...excuse, newsOnly: true }] })).toEqual(["one holder"]);
  });

  it("two runs at once are found, for however short a time, before the end of the lease or after it", () => {
    expect(judge(two({ since: 0, exit: 300 }, { since: 100, exit: 200 }))).toEqual(["one holder"]);
    expect(judge(two({ since: 0, exit: 101.05 }, { since: 100, exit: 200 }))).toEqual(["one holder"]);
    expect(judge(two({ since: 0, signal: [805, "LOST"] }, { since: 803, exit: 900 }))).toEqual(["one holder"]);
    expect(judge(two({ since: 0, exit: 101 }, { since: 100, exit: 200 }))).toEqual([]);
  });

  it("two runs at once are found if the process of the first closes, unless its lease may be over", () => {
    const renewed = (sent: number, t: number): Event => ({ e: "renewed", session: "s", sent, t });
    const times = [
      { since: 0, signal: [700, "CLOSING"], exit: 1_100 } as const,
      { since: 1_000, exit: 1_050 },
    ] as const;
    expect(judge(two(...times, [renewed(500, 520)]))).toEqual(["one holder"]);
    // The answer came after the end of the lease: the process had given it up, and its body cannot know.
    expect(judge(two(...times, [renewed(500, 850)]))).toEqual([]);
  });

  it("two runs at once are found in stores of one process, and where renewals are not observed", () => {
    const members = two({ since: 0, exit: 103 }, { since: 100, exit: 200 });
    expect(judge(members, { shared: false })).toEqual(["one holder"]);
    expect(judge(unobserved(members))).toEqual(["one holder"]);
  });

  it("two runs at once are excused while the process that lost its lock is stopped, not while the other is", () => {
    const times = [{ since: 0, signal: [1_500, "LOST"] } as const, { since: 900, exit: 1_600 }] as const;
    expect(judge(two(...times, [lag(100, 1_500)]))).toEqual([]);
    expect(judge(two(...times, [lag(100, 1_499)]))).toEqual(["one holder"]);
    expect(judge(two(...times, [], [lag(901, 1_500)]))).toContain("one holder");
  });

  it("two runs at once are excused, and reported, while the first computes as it was ordered to", () => {
    const members = two({ since: 0, signal: [1_500.5, "LOST"] }, { since: 899, exit: 1_600 }, [
      computed(10, 1_500),
      lag(8, 1_501),
    ]);
    const found = judgeHolders(evidenceOf(members));
    expect(found.violations).toEqual([]);
    expect(found.excusedOverlap).toBeCloseTo(600.5);
    expect(judge(unobserved(members))).toEqual(["one holder"]);
  });
});

it("a run whose process computed as it was ordered to is signalled within 50 ms after that", () => {
  const toldAt = (t: number): Member[] =>
    two({ since: 0, signal: [t, "LOST"] }, { since: 899, exit: 1_600 }, [computed(10, 1_500), lag(8, 1_501)]);
  expect(judge(toldAt(1_503))).toEqual([]);
  expect(judge(toldAt(1_550))).toEqual([]);
  expect(judge(toldAt(1_555))).toContain("one holder");
});

describe("an excuse for two runs at once", () => {
  const members = two({ since: 0, exit: 300 }, { since: 100, exit: 200 });
  const longer = two({ since: 0, exit: 750 }, { since: 100, exit: 700 });
  const excuse: Excuse = { name: "a", from: 50, to: 60 };

  it("an excuse holds only for the name, the fence and the session of the run that lost its lock", () => {
    for (const of of [{}, { fence: "1" }, { session: "s" }])
      expect(judge(members, { excuses: [{ ...excuse, ...of }] })).toEqual([]);
    for (const of of [{ name: "b" }, { fence: "2" }, { session: "t" }]) {
      expect(judge(members, { excuses: [{ ...excuse, ...of }] })).toEqual(["one holder"]);
    }
  });

  it("an excuse lasts until the next heartbeat, or to the end of the lease if the heartbeat gets no answer", () => {
    expect(judge(longer, { excuses: [excuse] })).toEqual(["one holder"]);
    expect(judge(longer, { excuses: [excuse], troubles: [{ from: 110, to: 900 }] })).toEqual([]);
  });

  it("an excuse of a record does not excuse two holders of a lock", () => {
    expect(judge(members, { excuses: [{ ...excuse, recordOnly: true }] })).toEqual(["one holder"]);
  });

  it("an overlap that is excused by force is reported apart", () => {
    const { excusedOverlap, forcedOverlap } = judgeHolders(
      evidenceOf(members, { excuses: [{ ...excuse, byForce: true }] }),
    );
    expect([excusedOverlap, forcedOverlap]).toEqual([0, 99]);
  });

  it("an excuse holds too where the loser of the lock hears of its grant later than the other run of its own", () => {
    const late = two({ since: 40, enter: 90, exit: 300 }, { since: 70, enter: 80, exit: 200 });
    expect(judge(late, { excuses: [excuse] })).toEqual([]);
    expect(judge(late)).toContain("fences increase");
  });
});

describe("the end of a lease", () => {
  it("a run that is signalled too late after the end of its lease is a violation, by renewals and by timeouts", () => {
    expect(judge(two({ since: 0, signal: [860, "LOST"] }, { since: 900, exit: 901 }))).toEqual(["signalled in time"]);
    const timedOut = two({ since: 0, timeout: 40, signal: [92, "TIMEOUT"] }, { since: 95, exit: 99 });
    expect(judge(timedOut)).toEqual(["signalled in time"]);
    expect(judge(timedOut, { shared: false })).toEqual(["signalled in time"]);
    expect(judge(unobserved(timedOut))).toEqual(["signalled in time"]);
  });
});
