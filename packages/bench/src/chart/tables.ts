import { ALLOCATION, goalOf } from "../report/goals.js";
import { loadText, short, spreadText } from "../report/lines.js";
import { type Group, LOOPBACK, type Result, SLOW } from "../report/result.js";
import { type Comparison, comparisonsOf, costOf, wall } from "../report/statistics.js";
import type { Cost } from "../run/contestant.js";
import type { Measured } from "../run/rounds.js";

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "Not measured.";
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}

/** "1.35, over" */
function goalCell(comparison: Comparison): string {
  const goal = goalOf(comparison);
  if (goal === undefined) return "–";
  return `${goal.unit === "times" ? "" : "≤ "}${goal.most}${goal.unit === "times" ? "" : ` ${goal.unit}`}, ${goal.met ? "met" : "over"}`;
}

/** "118 (97.0) + 44 µs": client, its main thread alone, and server. */
function cpuCell(measured: Measured): string {
  const part = (of: (cost: Cost) => number): number => costOf(measured, of).median;
  const main = part((cost) => cost.main ?? Number.NaN);
  const server = part((cost) => cost.server);
  const client = short(part((cost) => cost.client));
  const brackets = Number.isNaN(main) ? "" : ` (${short(main)})`;
  return `${client}${brackets}${server === 0 ? "" : ` + ${short(server)}`} µs`;
}

const wallCell = (measured: Measured): string => `${short(costOf(measured, wall).median)} µs`;

const comparisonRow = (it: Comparison): string[] => [
  it.group.store,
  it.other.contestant,
  loadText(it.group),
  spreadText(it.cpu),
  goalOf(it)?.of === "cpu" ? goalCell(it) : "–",
  short(it.all.median),
  spreadText(it.wall),
  cpuCell(it.ours),
  cpuCell(it.other),
];
const COMPARISON_HEAD = [
  "store",
  "against",
  "load",
  "CPU, times",
  "goal",
  "with all threads",
  "wall, times",
  "our CPU",
  "its CPU",
];

const farRow = (it: Comparison): string[] => [
  it.group.store,
  it.other.contestant,
  loadText(it.group),
  spreadText(it.wall),
  goalCell(it),
  wallCell(it.ours),
  wallCell(it.other),
];

function allocationRow(group: Group, measured: Measured): string[] {
  const { allocated = Number.NaN } = measured;
  const goal = measured.contestant === "ojm" ? `12 KB, ${allocated <= ALLOCATION ? "met" : "over"}` : "–";
  return [group.store, measured.contestant, loadText(group), `${short(allocated / 1024)} KB`, goal];
}

const measuredOn = ({ date, quick }: Result): string =>
  `Measured on ${date}${quick ? ": a quick run, for a first idea" : ""}`;

/** The machine, the versions and the load of a result. */
export function machineText(
  { commit, machine, versions }: Pick<Result, "commit" | "machine" | "versions">,
  rounds: number,
): string {
  return `${machine.cpu}, ${machine.cores} cores, ${machine.system}.${commit === undefined ? "" : ` Commit ${commit}.`} ${versions.join("; ")}. ${rounds} rounds. The load of the machine was ${machine.load[0]} before and ${machine.load[1]} after.`;
}

const roundsOf = ({ groups }: Result): number =>
  Math.max(...groups.flatMap(({ measured }) => measured.map((it) => it.rounds.length)));

function versionText(result: Result): string {
  const { groups, notMeasured } = result;
  const survives = new Map(groups.map(({ store, durability }) => [store, durability]));
  return [
    `### ${measuredOn(result)}`,
    "",
    machineText(result, roundsOf(result)),
    "",
    "What an acknowledged run survives, ours and the other's alike:",
    "",
    ...[...survives].map(([store, what]) => `- ${store}: ${what}.`),
    ...Object.entries(notMeasured).map(([what, why]) => `- ${what}: not measured, ${why}.`),
  ].join("\n");
}

/**
 * The tables of a result, by the names of their places in the document. PostgreSQL waits for the disk, and
 * the other servers here do not: it has a place of its own, and can be measured alone.
 */
export function tablesOf(result: Result): Map<string, string> {
  const of = (isPostgres: boolean): Result => ({
    ...result,
    groups: result.groups.filter(({ store }) => (store === "postgres") === isPostgres),
  });
  const [postgres, others] = [of(true), of(false)];
  const tables = others.groups.length > 0 || postgres.groups.length === 0 ? tablesOfOthers(others) : new Map();
  return postgres.groups.length === 0 ? tables : tables.set("postgres", tableOfPostgres(postgres));
}

function tableOfPostgres(result: Result): string {
  const rows = result.groups.flatMap(comparisonsOf).map((it) => [...comparisonRow(it).slice(1), wallCell(it.ours)]);
  const head = [...COMPARISON_HEAD.slice(1), "our wall"];
  const picture = "![CPU of a managed run on PostgreSQL, over the floor and what others take](benchmarks/postgres.svg)";
  return [`${measuredOn(result)}: ${machineText(result, roundsOf(result))}`, "", picture, "", table(head, rows)].join(
    "\n",
  );
}

function tablesOfOthers(result: Result): Map<string, string> {
  const all = result.groups.flatMap(comparisonsOf);
  const runs = all.filter(({ group }) => group.load.what === "run");
  const near = runs.filter(({ group }) => group.network === LOOPBACK);
  const far = runs.filter(({ group }) => group.network === SLOW);
  const isFloor = ({ other }: Comparison): boolean => other.contestant === "floor";
  const each = result.groups
    .filter(({ load, network }) => load.what === "run" && network === LOOPBACK)
    .flatMap((group) => group.measured.map((measured) => [group, measured] as const));
  const farHead = ["store", "against", "load", "wall, times", "goal", "our wall", "its wall"];
  return new Map([
    ["facts", versionText(result)],
    ["floor", table(COMPARISON_HEAD, near.filter(isFloor).map(comparisonRow))],
    ["peers", table(COMPARISON_HEAD, near.filter((it) => !isFloor(it)).map(comparisonRow))],
    ["network", table(farHead, far.map(farRow))],
    ["calls", table(COMPARISON_HEAD, all.filter(({ group }) => group.load.what !== "run").map(comparisonRow))],
    [
      "allocation",
      table(
        ["store", "who", "load", "allocated a run", "goal"],
        each.map(([group, measured]) => allocationRow(group, measured)),
      ),
    ],
  ]);
}
