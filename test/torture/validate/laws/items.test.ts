import { describe, expect, it } from "vitest";
import type { Event, ItemStock } from "../../scene/events.js";
import { evidenceOf, memberWith } from "../hand-made.js";
import { endsOf, judgeKeys, judgePauses } from "./items.js";

const stock = (more: Partial<ItemStock>): ItemStock => ({ done: [], dead: [], stuck: [], runs: [], ...more });
const run = (id: string, status: ItemStock["runs"][number]["status"] = "completed"): ItemStock["runs"][number] => ({
  id,
  item: "i",
  status,
});

describe("the ends of items", () => {
  it("an item that is done once, or dead, is right", () => {
    const all = stock({ done: [["i", "r2"]], dead: ["j"], runs: [run("r1", "lost"), run("r2")] });
    expect(endsOf(["i", "j"], all, false)).toEqual([]);
  });

  it("an item that disappears, is done twice, is done and dead, or stays, is found", () => {
    expect(endsOf(["i"], stock({}), false)).toEqual(["the item i was added, and has disappeared"]);
    const twice = stock({
      done: [
        ["i", "r1"],
        ["i", "r2"],
      ],
      runs: [run("r1"), run("r2")],
    });
    expect(endsOf(["i"], twice, false)).toEqual(["the item i is done by r1, and done by r2"]);
    expect(endsOf(["i"], stock({ done: [["i", "r"]], dead: ["i"], runs: [run("r")] }), false)).toHaveLength(1);
    expect(endsOf(["i"], stock({ stuck: ["i: waiting"] }), false)).toEqual([
      "the item i: waiting, and no worker ends it",
    ]);
  });

  it("a run that completed without its row is found, and so is a row without a completed run", () => {
    expect(endsOf([], stock({ dead: ["i"], runs: [run("r")] }), false)).toEqual(["r completed, and has no row"]);
    const late = stock({ done: [["i", "r"]], runs: [run("r", "lost")] });
    expect(endsOf([], late, false)).toEqual(["r has a row, and did not complete"]);
    expect(endsOf([], late, true)).toEqual([]);
  });
});

const added = (item: string, sent: number, t: number, key = "k"): Event => ({ e: "added", item, sent, key, t });
const enter = (item: string, id: string, t: number): Event => {
  const name = `queue/work/${item}`;
  return { e: "enter", id, name, fence: "1", held: false, timeout: 1, run: id, item, t };
};

it("a second item with a unique key is found while the first one is certainly in the queue", () => {
  const events: Event[] = [added("i", 0, 10), enter("i", "r", 20), { e: "exit", id: "r", ends: true, t: 50 }];
  const laws = (second: Event): string[] =>
    judgeKeys(evidenceOf([memberWith(events), memberWith([second], { index: 1 })])).map(({ law }) => law);
  expect(laws(added("j", 30, 40))).toEqual(["one item a key"]);
  expect(laws(added("j", 30, 40, "other"))).toEqual([]);
  expect(laws(added("j", 5, 40))).toEqual([]);
  expect(laws(added("j", 30, 60))).toEqual([]);
});

it("an item that is taken between a pause and the next resume is found", () => {
  const taken = (sent: number, t: number): Event => {
    return { e: "granted", name: "queue/work/i", fence: "1", session: "s", sent, timeout: 1, t };
  };
  const paused: Event[] = [
    { e: "paused", sent: 0, t: 10 },
    { e: "resuming", t: 100 },
    { e: "resumed", t: 110 },
  ];
  const laws = (other: readonly Event[]): string[] =>
    judgePauses(evidenceOf([memberWith(paused), memberWith(other, { index: 1 })])).map(({ law }) => law);
  expect(laws([taken(20, 30)])).toEqual(["no item during a pause"]);
  expect(laws([taken(5, 30)])).toEqual([]);
  expect(laws([taken(20, 120)])).toEqual([]);
  // A resume of another process was under way when the pause was requested.
  expect(laws([{ e: "resuming", t: -5 }, taken(20, 30)])).toEqual([]);
});
