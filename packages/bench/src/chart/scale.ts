import { LOOPBACK, type Result } from "../report/result.js";
import { costOf } from "../report/statistics.js";
import { calculateNodes } from "../scale/nodes.js";
import type { ScaleResult } from "../scale/result.js";
import { type Curve, curvesSvg } from "./curves.js";
import { table } from "./tables.js";

/** One curve for each store. */
function byStore<Row extends { readonly store: string }>(
  rows: readonly Row[],
  point: (row: Row) => readonly [x: number, y: number],
): Curve[] {
  const names = [...new Set(rows.map(({ store }) => store))];
  return names.map((label) => ({ label, points: rows.filter(({ store }) => store === label).map(point) }));
}

/** The curves of a result by the names of their files. */
export function curvesOf({ names, sessions, waiters }: ScaleResult): Map<string, string> {
  const crowd = waiters.filter(({ processes }) => processes === 1);
  const charts = {
    "names.svg": {
      title: "The ten newest runs of all names",
      x: "records, under a tenth as many names",
      y: "ms",
      curves: byStore(names, (row) => [row.records, row.newest]),
    },
    "sessions.svg": {
      title: "Sessions that hold a lock",
      x: "sessions, each in a process of its own as far as the store knows",
      y: "processor time of the server, % of a core",
      curves: byStore(sessions, (row) => [row.sessions, 100 * row.server]),
    },
    "waiters.svg": {
      title: "Waiters of one name in one process: hand-off",
      x: "waiters",
      y: "ms, the slowest of a hundred",
      curves: byStore(crowd, (row) => [row.waiters, row.handOff.p99]),
    },
  };
  const drawn = Object.entries(charts).filter(([, { curves }]) => curves.length > 0);
  return new Map(drawn.map(([name, chart]) => [name, curvesSvg(chart)]));
}

/** A table under its chart. */
function pictured(title: string, chart: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const picture = rows.length === 0 ? "" : `![${title}](benchmarks/${chart}.svg)\n\n`;
  return `${picture}${table(head, rows)}`;
}

const percent = (part: number): string => `${(100 * part).toFixed(2)} %`;
const ms = (time: number): string => time.toFixed(time < 10 ? 2 : 1);
const count = (number: number): string => number.toLocaleString("en");

/**
 * The tables of a result, by the names of their places in the document. The server time of a run comes from
 * `result`.
 */
export function scaleTablesOf(scale: ScaleResult, result: Result | undefined): Map<string, string> {
  const { rows, ends } = calculateNodes(scale.sessions, serverTimes(result));
  const { date, commit, machine } = scale;
  const where = `${machine.cpu}, ${machine.cores} cores. ${commit === undefined ? "" : `Commit ${commit}. `}The load of the machine was ${machine.load[0]} before and ${machine.load[1]} after.`;
  return new Map([
    ["scale-facts", `Measured on ${date}: ${where}`],
    [
      "scale-names",
      pictured(
        "The ten newest runs of all names",
        "names",
        ["store", "names", "records", "written a second", "newest ten", "ten of a window", "prune of half"],
        scale.names.map((row) => [
          row.store,
          count(row.names),
          count(row.records),
          count(row.insertPerSecond),
          `${ms(row.newest)} ms`,
          `${ms(row.window)} ms`,
          `${row.prune.toFixed(1)} ×`,
        ]),
      ),
    ],
    [
      "scale-sessions",
      pictured(
        "Sessions that hold a lock",
        "sessions",
        ["store", "sessions", "server, of a core", "all clients, of a core"],
        scale.sessions.map((row) => [row.store, count(row.sessions), percent(row.server), percent(row.clients)]),
      ),
    ],
    [
      "scale-waiters",
      pictured(
        "Waiters of one name in one process",
        "waiters",
        ["store", "waiters", "processes", "idle, of a core", "hand-off: median, p99, most", "lost"],
        scale.waiters.map((row) => [
          row.store,
          count(row.waiters),
          count(row.processes),
          percent(row.idle),
          `${[row.handOff.median, row.handOff.p99, row.handOff.most].map((time) => time.toFixed(1)).join(", ")} ms`,
          row.lost || row.failed > 0 ? `${row.failed} waits${row.lost ? ", the lock" : ""}` : "none",
        ]),
      ),
    ],
    [
      "scale-nodes",
      [
        table(
          ["store", "nodes", "runs a second", "server, of a core"],
          rows.map((row) => [row.store, count(row.nodes), row.runs.toFixed(1), percent(row.server)]),
        ),
        "",
        ...ends.map(
          (end) =>
            `- ${end.store}: a run takes ${end.perRun.toFixed(0)} µs of the server, a session ${end.perSession.toFixed(0)} µs in each second. One core is full at ${count(end.nodes)} nodes.`,
        ),
      ].join("\n"),
    ],
  ]);
}

/** The server time of one of 32 concurrent runs, in µs, by store. */
function serverTimes(result: Result | undefined): Map<string, number> {
  const groups = (result?.groups ?? []).filter(
    ({ load, network }) => load.what === "run" && load.width === 32 && network === LOOPBACK,
  );
  return new Map(
    groups.flatMap(({ store, measured }) => {
      const ours = measured.find(({ contestant }) => contestant === "ojm");
      const server = ours && costOf(ours, (cost) => cost.server).median;
      return server === undefined || server === 0 ? [] : [[store, server]];
    }),
  );
}
