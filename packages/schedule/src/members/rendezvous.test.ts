import { describe, expect, it } from "vitest";
import { rankOf } from "./members.js";

const MEMBERS = ["one", "two", "three", "four"];
const NAMES = Array.from({ length: 2_000 }, (_, i) => `job-${i}`);
const ownerOf = (name: string, members: readonly string[]): string | undefined =>
  members.find((member) => rankOf(name, member, members) === 0);

describe("the members of a schedule", () => {
  it("have an order in which each has a place of its own", () => {
    for (const name of NAMES) {
      const ranks = MEMBERS.map((member) => rankOf(name, member, MEMBERS));
      expect(ranks.toSorted()).toEqual([0, 1, 2, 3]);
    }
  });

  it("fire about the same number of schedules each", () => {
    const counts = MEMBERS.map((member) => NAMES.filter((name) => ownerOf(name, MEMBERS) === member).length);
    for (const count of counts) expect(count).toBeGreaterThan(400);
  });

  it("keep their schedules when another one leaves", () => {
    const without = MEMBERS.filter((member) => member !== "three");
    for (const name of NAMES) {
      const before = ownerOf(name, MEMBERS);
      if (before !== "three") expect(ownerOf(name, without)).toBe(before);
      else expect(rankOf(name, ownerOf(name, without) ?? "", MEMBERS)).toBe(1);
    }
  });
});
