import { expect, it } from "vitest";
import { RATE } from "../../scene/jobs.js";
import type { Scene } from "../../scene/scene.js";
import { STRANGER } from "../../traffic/harm.js";
import { evidenceOf, memberWith } from "../hand-made.js";
import { judgeRate } from "./rates.js";

const { max, per } = RATE;

/** The broken laws of runs that were granted their locks at these times. */
function lawsOf(times: readonly number[], more: Partial<Scene> = {}, stranger?: number): string[] {
  const events = times.map((t, i) => {
    const session = i === stranger ? STRANGER : "s";
    return { e: "granted", name: "a", fence: `${i + 1}`, session, sent: t - 1, timeout: 1, t } as const;
  });
  const { scene } = evidenceOf([memberWith(events)]);
  return judgeRate({ scene: { ...scene, mode: "rate", ...more } as Scene }).map(({ law }) => law);
}

it("one run more in a window than the rate allows is found, and one after the window is not", () => {
  const full = Array.from({ length: max }, (_, i) => i);
  expect(lawsOf([...full, per / 2])).toEqual(["no faster than its rate"]);
  expect(lawsOf([...full, per + max])).toEqual([]);
});

it("an entry that another program has overwritten is not a run", () => {
  const all = Array.from({ length: max + 1 }, (_, i) => i);
  expect(lawsOf(all, {}, 1)).toEqual([]);
});

it("runs of a store that lost its tokens are not judged", () => {
  const all = Array.from({ length: max + 1 }, (_, i) => i);
  expect(lawsOf(all, { dataLost: { from: 0, to: 1 } })).toEqual([]);
  expect(lawsOf(all, { excuses: [{ from: 0, to: 1 }] })).toEqual([]);
});
