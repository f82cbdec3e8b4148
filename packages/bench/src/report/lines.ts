import { ALLOCATION, goalOf, goalText } from "./goals.js";
import { type Group, SLOW } from "./result.js";
import { type Comparison, comparisonsOf, costOf, cpu, type Spread, wall } from "./statistics.js";

/** "run, 1 name in sequence", "set, 50 in flight". */
export function loadText({ load: { what, width } }: Group): string {
  if (what !== "run") return `${what}, ${width} in flight`;
  return width === 1 ? "run, 1 name in sequence" : `run, ${width} names at once`;
}

/** 1.234 is "1.23", 12.34 is "12.3", 123.4 is "123". */
export function short(value: number): string {
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}

/** "1.35 (1.30 … 1.41)" */
export function spreadText({ median, least, most }: Spread): string {
  return `${short(median)} (${short(least)} … ${short(most)})`;
}

export const HEADER: string =
  "store        against           load                          CPU, times           wall, times          µs of CPU: ours, other";

/** The output for a group: a line for each contestant that ours is compared with. */
export function linesOf(group: Group): string[] {
  const comparisons = comparisonsOf(group);
  if (comparisons.length > 0) return [...comparisons.map(lineOf), ...allocationLines(group)];
  return group.measured.map((it) => {
    const cost = `CPU ${short(costOf(it, cpu).median)} µs, wall ${short(costOf(it, wall).median)} µs`;
    return `${storeText(group)} ${it.contestant.padEnd(17)}${loadText(group).padEnd(29)} ${cost} a run`;
  });
}

/** "redis", or "redis far" if there is a slow network in between. */
const storeText = ({ store, network }: Group): string => (network === SLOW ? `${store} far` : store).padEnd(12);

function allocationLines(group: Group): string[] {
  const known = group.measured.flatMap(({ contestant, allocated }) =>
    allocated === undefined ? [] : [`${contestant} ${short(allocated / 1024)} KB`],
  );
  const ours = group.measured.find(({ contestant }) => contestant === "ojm")?.allocated;
  if (ours === undefined) return [];
  const goal = `goal of ojm ${ALLOCATION / 1024} KB, ${ours <= ALLOCATION ? "met" : "over"}`;
  return [`${storeText(group)} allocated a run: ${known.join(", ")}; ${goal}`];
}

function lineOf(comparison: Comparison): string {
  const { group, ours, other, cpu: ofCpu, wall: ofWall } = comparison;
  const costs = `${short(costOf(ours, cpu).median)}, ${short(costOf(other, cpu).median)}`;
  const columns = [
    storeText(group),
    other.contestant.padEnd(17),
    loadText(group).padEnd(29),
    spreadText(ofCpu).padEnd(20),
    spreadText(ofWall).padEnd(20),
    costs.padEnd(16),
    goalText(goalOf(comparison)),
  ];
  return columns.join(" ").trimEnd();
}
