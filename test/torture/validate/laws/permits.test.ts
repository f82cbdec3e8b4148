import { expect, it } from "vitest";
import type { Scene } from "../../scene/scene.js";
import { evidenceOf, memberWith, type RunTimes, runEvents } from "../hand-made.js";
import { judgePermits } from "./permits.js";

/** The broken laws of three runs of the names a, b and c, each in a worker of its own. */
function lawsOf(runs: readonly RunTimes[], excuses: Scene["excuses"] = []): string[] {
  const members = runs.map((times, index) => {
    const name = ["a", "b", "c"][index] ?? "";
    return memberWith(runEvents(`${index + 1}`, { name, session: `s${index}`, ...times }), { index });
  });
  const evidence = evidenceOf(members, { excuses });
  const scene = { ...evidence.scene, mode: "permit" } as Scene;
  return judgePermits({ ...evidence, scene }).map(({ law }) => law);
}

it("a third run beside two is found, for however short a time, and a run after one of them is not", () => {
  const [a, b] = [
    { since: 0, exit: 300 },
    { since: 50, exit: 200 },
  ];
  expect(lawsOf([a, b, { since: 198, exit: 250 }])).toEqual(["no more than its permits"]);
  expect(lawsOf([a, b, { since: 200, exit: 250 }])).toEqual([]);
});

it("a third run is excused if one of the others had lost its lock", () => {
  const runs = [
    { since: 0, exit: 300 },
    { since: 50, exit: 300 },
    { since: 100, exit: 200 },
  ];
  expect(lawsOf(runs, [{ name: "a", from: 90, to: 110 }])).toEqual([]);
  expect(lawsOf(runs, [{ name: "c", from: 90, to: 110 }])).toEqual(["no more than its permits"]);
});
