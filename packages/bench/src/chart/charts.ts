import { goalOf } from "../report/goals.js";
import { type Group, LOOPBACK, type Result, SLOW } from "../report/result.js";
import { type Comparison, comparisonsOf } from "../report/statistics.js";
import { type Bar, type Chart, svgOf } from "./svg.js";

const namesText = ({ load }: Group): string => (load.width === 1 ? "1 name" : `${load.width} names`);

function bar(comparison: Comparison, of: "cpu" | "wall", label: string): Bar {
  const goal = goalOf(comparison);
  return {
    label: `${label}, ${namesText(comparison.group)}`,
    value: comparison[of],
    ...(goal?.of === of && goal.unit === "times" && { goal: goal.most }),
  };
}

const isFloor = ({ other }: Comparison): boolean => other.contestant === "floor";

/** The charts of a result by the names of their files. A chart without a bar is left out. */
export function chartsOf({ groups }: Result): Map<string, string> {
  const runs = groups.filter(({ load }) => load.what === "run").flatMap(comparisonsOf);
  const isPostgres = ({ group }: Comparison): boolean => group.store === "postgres";
  const near = runs.filter((it) => it.group.network === LOOPBACK && !isPostgres(it));
  const far = runs.filter(({ group }) => group.network === SLOW);
  const charts: Record<string, Chart> = {
    "floor.svg": {
      title: "CPU of a managed run, over the floor of its store",
      axis: "times the CPU of client and server; the mark is the goal",
      bars: near.filter(isFloor).map((it) => bar(it, "cpu", it.group.store)),
    },
    "peers.svg": {
      title: "CPU of a managed run, over what others take",
      axis: "times the CPU of client and server; the mark is the goal",
      bars: near.filter((it) => !isFloor(it)).map((it) => bar(it, "cpu", it.other.contestant)),
    },
    "postgres.svg": {
      title: "CPU of a managed run on PostgreSQL, over the floor and what others take",
      axis: "times the CPU of client and server; the mark is the goal",
      bars: runs.filter(isPostgres).map((it) => bar(it, "cpu", it.other.contestant)),
    },
    "network.svg": {
      title: `Time of a managed run over a network of ${SLOW}`,
      axis: "times the wall time of the other; the mark is the goal",
      bars: far.map((it) => bar(it, "wall", isFloor(it) ? `floor on ${it.group.store}` : it.other.contestant)),
    },
  };
  const drawn = Object.entries(charts).filter(([, { bars }]) => bars.length > 0);
  return new Map(drawn.map(([name, chart]) => [name, svgOf(chart)]));
}
