import { describe, expect, it } from "vitest";
import type { Member } from "../member.js";
import type { Excuse, Scene } from "../scene.js";
import { judgeFences } from "./fences.js";
import { judgeHolders } from "./holders.js";
import type { ObservedRun } from "./run-of.js";
import type { Evidence } from "./verdict.js";

const member = { all: () => [], killedAt: undefined } as unknown as Member;

function run(fence: string, since: number, enter: number, exit: number): ObservedRun {
  const of = { member, id: fence, name: "a", session: undefined, timeout: Infinity, wasTold: false };
  return { ...of, fence, since, enter, exit };
}

function judge(runs: readonly ObservedRun[], ...excuses: Excuse[]): string[] {
  const scene = { ttl: 800, excuses, members: [], kind: {}, dataLost: undefined } as unknown as Scene;
  const evidence = { scene, runs } as unknown as Evidence;
  return [...judgeHolders(evidence).violations, ...judgeFences(evidence)].map(({ law }) => law);
}

describe("two who run at once", () => {
  it("are found", () => {
    expect(judge([run("1", 0, 10, 300), run("2", 100, 110, 200)])).toEqual(["one holder"]);
  });

  it("are excused where the lock of the first was taken away before the second began", () => {
    expect(judge([run("1", 0, 10, 300), run("2", 100, 110, 200)], { name: "a", from: 50, to: 60 })).toEqual([]);
    expect(judge([run("1", 0, 10, 300), run("2", 100, 110, 200)], { name: "b", from: 50, to: 60 })).toEqual([
      "one holder",
    ]);
  });

  it("are excused too where the one that lost its lock heard of its grant later than the other of its own", () => {
    const runs = [run("2", 70, 80, 200), run("1", 40, 90, 300)];
    expect(judge(runs, { name: "a", from: 50, to: 60 })).toEqual([]);
    expect(judge(runs)).toContain("fences increase");
  });
});
