import { expect, it } from "vitest";
import type { Event } from "../events.js";
import type { Member } from "../member.js";
import { leaseEnd, type ObservedRun } from "./run-of.js";

const TTL = 800;

/** A run in a process that wrote down these renewals of its session: when they were sent, and when they were answered. */
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
    wasTold: false,
  };
}

it("a lease ends one ttl after the last answered renewal was sent", () => {
  const lease = leaseEnd(runWith([1_000, 1_001], [1_300, 1_302], [1_600, 1_950]), 1_900, TTL);
  expect(lease?.latest).toBe(2_100);
  expect(lease?.earliest).toBeGreaterThan(2_050);
});

it("an answer that comes after the end may come too late, or not", () => {
  const lease = leaseEnd(runWith([1_000, 1_001], [1_400, 1_828]), 1_830, TTL);
  expect(lease?.earliest).toBeLessThan(1_800);
  expect(lease?.latest).toBe(2_200);
});

it("who renews a lease after such an answer has not given it up", () => {
  const lease = leaseEnd(runWith([1_000, 1_001], [1_400, 1_828], [1_830, 1_831]), 1_900, TTL);
  expect(lease?.latest).toBe(2_630);
  expect(lease?.earliest).toBeGreaterThan(2_600);
});

it("a lease ends with the timeout of its run", () => {
  const lease = leaseEnd({ ...runWith([1_000, 1_001]), since: 1_100, timeout: 40 }, 1_150, TTL);
  expect(lease?.latest).toBe(1_140);
  expect(lease?.earliest).toBeGreaterThan(1_100);
});
