import fc from "fast-check";
import { expect, it } from "vitest";
import { memberKey, memberPartKey } from "../store/schema.js";
import { Members, rankOf } from "./members.js";

const NAMES = ["a", "b", "c"];
const BY = { host: "h", pid: 1, instance: "i" };

/** The changes of a store that a member receives. */
const change = fc.record({
  instance: fc.constantFrom("one", "two", "three", "self"),
  what: fc.constantFrom("lives", "dies", "list", "no list", "ask"),
  part: fc.constantFrom(0, 1),
  schedules: fc.uniqueArray(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom("old", "new")), {
    selector: ([name]) => name,
  }),
});

it("a member knows its place for each schedule, whichever members came, left or changed their lists, in any order", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      const lives = new Set<string>();
      const lists = new Map<string, ReadonlyMap<string, string>>();
      const members = new Members("self", () => {});
      for (const { instance, what, part, schedules } of changes) {
        const list = `${instance} ${part}`;
        if (what === "lives") {
          lives.add(instance);
          members.put(memberKey(instance), { by: BY, parts: 2 });
        } else if (what === "dies") {
          lives.delete(instance);
          members.gone(memberKey(instance));
        } else if (what === "list") {
          lists.set(list, new Map(schedules));
          members.put(memberPartKey(instance, part), { schedules });
        } else if (what === "no list") {
          lists.delete(list);
          members.gone(memberPartKey(instance, part));
        }
        if (what !== "ask") continue;
        for (const name of NAMES) {
          for (const hash of ["old", "new"]) {
            const has = (member: string): boolean =>
              [0, 1].some((n) => lists.get(`${member} ${n}`)?.get(name) === hash);
            const there = ["one", "two", "three"].filter((member) => lives.has(member) && has(member));
            expect(members.rank(name, hash)).toBe(rankOf(name, "self", there));
            expect(members.hasOther(name, hash)).toBe(there.length > 0);
          }
        }
      }
    }),
    { numRuns: 500 },
  );
});

it("a change of the members is reported for the schedules that it concerns, and for no other", () => {
  const told: string[][] = [];
  const members = new Members("self", (names) => told.push([...names]));
  members.put(memberPartKey("one", 0), { schedules: [["a", "1"]] });
  members.put(memberKey("one"), { by: BY, parts: 1 });
  members.put(memberKey("one"), { by: BY, parts: 1 });
  members.put(memberPartKey("one", 0), {
    schedules: [
      ["a", "1"],
      ["b", "1"],
    ],
  });
  members.put(memberPartKey("one", 1), { schedules: [["c", "1"]] });
  members.gone(memberPartKey("one", 1));
  members.gone(memberKey("one"));
  expect(told).toEqual([["a"], ["a"], ["b"], ["c"], ["c"], ["a", "b"]]);
});
