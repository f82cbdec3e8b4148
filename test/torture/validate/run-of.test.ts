import { expect, it } from "vitest";
import type { Event } from "../scene/events.js";
import type { Member } from "../scene/member.js";
import type { Scene } from "../scene/scene.js";
import { leaseEnd, type ObservedRun } from "./run-of.js";

const STORE = { kind: { shared: true }, ttl: 800 } as unknown as Scene;

/**
 * A run in a process that recorded these renewals of its session: when they were sent, and when they were
 * answered.
 */
function runWith(...renewals: readonly (readonly [sent: number, answered: number])[]): ObservedRun {
  const events: Event[] = renewals.map(([sent, t]) => ({ e: "renewed", session: "s", sent, t }));
  const member = { all: (e: string) => events.filter((event) => event.e === e) } as unknown as Member;
  return {
    member,
    id: "0.1",
    name: "a",
    fence: "1",
    enter: 0,
    session: "s",
    since: 0,
    timeout: Infinity,
    wasSignalled: false,
  };
}

/** The same run in a process that did not run its timers in this time. */
function suspended({ member, ...run }: ObservedRun, [from, to]: readonly [from: number, to: number]): ObservedRun {
  const lag: Event = { e: "lag", t: to, from, to };
  const stalled = { all: (e: string) => (e === "lag" ? [lag] : member.all(e as "renewed")) } as unknown as Member;
  return { ...run, member: stalled };
}

it("a lease ends one ttl after the last answered renewal was sent", () => {
  const lease = leaseEnd(runWith([1_000, 1_001], [1_300, 1_302], [1_600, 1_950]), 1_900, STORE);
  expect(lease.latest).toBe(2_100);
  expect(lease.earliest).toBeGreaterThan(2_050);
});

it("a renewal that is answered after the end of the lease may come too late, or not", () => {
  const lease = leaseEnd(runWith([1_000, 1_001], [1_400, 1_828]), 1_830, STORE);
  expect(lease.earliest).toBeLessThan(1_800);
  expect(lease.latest).toBe(2_200);
});

it("a process that renews a lease after a late answer has not given up the lease", () => {
  const lease = leaseEnd(runWith([1_000, 1_001], [1_400, 1_828], [1_830, 1_831]), 1_900, STORE);
  expect(lease.latest).toBe(2_630);
  expect(lease.earliest).toBeGreaterThan(2_600);
});

it("a process that stood still between a look at the clock and its renewal may have given up the lease", () => {
  const lease = leaseEnd(suspended(runWith([1_000, 1_001], [1_814, 2_050]), [1_770, 1_900]), 2_051, STORE);
  expect(lease.earliest).toBeLessThan(1_800);
  expect(lease.latest).toBe(2_614);
});

it("a process that stood still after it noted an answer may have given up the lease", () => {
  const lease = leaseEnd(suspended(runWith([1_000, 1_001], [1_500, 1_690]), [1_680, 1_850]), 1_845, STORE);
  expect(lease.earliest).toBeLessThan(1_800);
  expect(lease.latest).toBe(2_300);
});

it("a process that noted an answer in a suspension that ended before the lease has not given up the lease", () => {
  const lease = leaseEnd(suspended(runWith([1_000, 1_001], [1_500, 1_690]), [1_680, 1_760]), 1_845, STORE);
  expect(lease.earliest).toBeGreaterThan(2_250);
});

it("a lease may have ended earlier if its process stood still before it sent the renewal", () => {
  const lease = leaseEnd(suspended(runWith([1_000, 1_001], [1_500, 1_690]), [850, 1_010]), 1_695, STORE);
  expect(lease.earliest).toBeLessThan(1_660);
  expect(lease.latest).toBe(2_300);
});

it("a renewal shows that an earlier one was accepted, not that its own answer came in time", () => {
  const lease = leaseEnd(runWith([1_000, 1_001], [1_400, 1_790], [1_830, 2_210]), 2_211, STORE);
  expect(lease.earliest).toBeLessThan(2_200);
  expect(lease.earliest).toBeGreaterThan(2_150);
  expect(lease.latest).toBe(2_630);
});

it("a lease ends with the timeout of its run", () => {
  const lease = leaseEnd({ ...runWith([1_000, 1_001]), since: 1_100, timeout: 40 }, 1_150, STORE);
  expect(lease.latest).toBe(1_140);
  expect(lease.earliest).toBeGreaterThan(1_100);
});

it("in a store of one process a lease ends with its timeout alone", () => {
  const alone = { kind: { shared: false }, ttl: 800 } as unknown as Scene;
  expect(leaseEnd({ ...runWith(), since: 1_000, timeout: 40 }, 9_000, alone).latest).toBe(1_040);
});

it("if renewals are not observed, only a process that did not come to its timers may have lost its lease", () => {
  const run = { ...runWith(), session: undefined, since: 1_000 };
  expect(leaseEnd(run, 1_900, STORE).earliest).toBe(Infinity);
  expect(leaseEnd(suspended(run, [1_300, 1_800]), 1_900, STORE).earliest).toBe(-Infinity);
});
