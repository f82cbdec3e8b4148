import type { CellResult } from "./cell.js";
import { type Mode, modes } from "./events.js";
import { faults } from "./faults/index.js";
import { storeKinds } from "./stores/index.js";
import type { Task } from "./task.js";

/** What is kept of a cell for the table. */
export interface Row {
  readonly backend: string;
  readonly fault: string;
  readonly mode: string;
  readonly seed: number;
  readonly ttl: number;
  readonly skipped?: string;
  /** Why the harness could not bring it to its end: it is not judged. */
  readonly broken?: string;
  readonly runs: number;
  readonly overlaps: number;
  readonly violations: number;
  /** The laws that were broken. */
  readonly laws?: readonly string[];
  readonly worstSignal?: number;
  readonly excusedOverlap: number;
  readonly recovery?: number;
}

export function rowOf(result: CellResult): Row {
  const { cell, skipped, runs, overlaps, violations, worstSignal, excusedOverlap, recovery } = result;
  return {
    backend: cell.kind.name,
    fault: cell.fault.name,
    mode: cell.mode,
    seed: cell.seed,
    ttl: cell.ttl,
    ...(skipped !== undefined && { skipped }),
    runs,
    overlaps,
    violations: violations.length,
    ...(violations.length > 0 && { laws: [...new Set(violations.map(({ law }) => law))] }),
    ...(worstSignal !== undefined && { worstSignal }),
    excusedOverlap,
    ...(recovery !== undefined && { recovery }),
  };
}

/** The row of a cell that the harness could not bring to its end. */
export function brokenRow({ backend, fault, mode, seed, ttl }: Task, broken: string): Row {
  return { backend, fault, mode, seed, ttl, broken, runs: 0, overlaps: 0, violations: 0, excusedOverlap: 0 };
}

/** The matrix as Markdown: a line for each fault, a column for each store. */
export function tableOf(rows: readonly Row[], versions: readonly string[], date: string): string {
  const types = storeKinds.map(({ name }) => name).filter((name) => rows.some(({ backend }) => backend === name));
  const lines = faults.map(({ name }) => {
    const columns = types.map((type) =>
      summary(rows.filter(({ backend, fault }) => backend === type && fault === name)),
    );
    return `| ${name} | ${columns.join(" | ")} |`;
  });
  return [
    ...factsOf(rows, date),
    `Modes: ${modesOf(rows, types)}. Versions: ${versions.join("; ")}.`,
    "",
    `| fault | ${types.join(" | ")} |`,
    `|---|${types.map(() => "---").join("|")}|`,
    ...lines,
  ].join("\n");
}

/** Those that were judged. */
function judged(rows: readonly Row[]): Row[] {
  return rows.filter(({ skipped, broken }) => skipped === undefined && broken === undefined);
}

/** How much was run, and what came out. */
function factsOf(rows: readonly Row[], date: string): string[] {
  const run = judged(rows);
  const times = new Map<string, number>();
  for (const { backend, fault, mode } of run) {
    const place = JSON.stringify([backend, fault, mode]);
    times.set(place, (times.get(place) ?? 0) + 1);
  }
  const [least, most] = [Math.min(...times.values()), Math.max(...times.values())];
  const rounds = least === most ? `${most}` : `${least} to ${most}`;
  const ttls = [...new Set(run.map(({ ttl }) => ttl))].sort((a, b) => a - b).join(", ");
  const sum = (of: (row: Row) => number): number => run.reduce((total, row) => total + of(row), 0);
  const broken = rows.filter((row) => row.broken !== undefined).length;
  return [
    `${date}. ${run.length} cells: ${times.size} places of the matrix in ${rounds} ${rounds === "1" ? "round" : "rounds"}, seeds ${ranges(run.map(({ seed }) => seed))}, TTL ${ttls} ms. ${sum(({ runs }) => runs)} runs, ${sum(({ overlaps }) => overlaps)} overlaps, ${sum(({ violations }) => violations)} violations.`,
    ...(broken === 0 ? [] : [`${broken} more cells were broken off by the harness itself, and not judged.`]),
  ];
}

/** 1, 2, 3 and 7 are "1 to 3, 7". */
function ranges(numbers: readonly number[]): string {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  const starts = sorted.filter((each) => !sorted.includes(each - 1));
  const ends = sorted.filter((each) => !sorted.includes(each + 1));
  return starts.map((start, i) => (start === ends[i] ? `${start}` : `${start} to ${ends[i]}`)).join(", ");
}

function modesOf(rows: readonly Row[], types: readonly string[]): string {
  const run = judged(rows);
  const ways = (type: string): Mode[] =>
    modes.filter((mode) => run.some((row) => row.backend === type && row.mode === mode));
  if (types.every((type) => ways(type).length === modes.length)) return `${modes.join(", ")} on each store`;
  return types.map((type) => `${type} ${ways(type).join(", ")}`).join("; ");
}

function summary(rows: readonly Row[]): string {
  const run = judged(rows);
  if (run.length === 0) return rows.find(({ skipped }) => skipped !== undefined)?.skipped?.split(":")[0] ?? "not run";
  const failed = run.filter(({ violations }) => violations > 0).length;
  const worst = (of: (row: Row) => number | undefined): number | undefined => {
    const known = run.map(of).filter((ms): ms is number => ms !== undefined && ms > 0);
    return known.length === 0 ? undefined : Math.max(...known);
  };
  const facts = [
    failed === 0 ? "held" : `**failed in ${failed} of ${run.length}**`,
    show(
      "told +",
      worst(({ worstSignal }) => worstSignal),
    ),
    show(
      "two ran ",
      worst(({ excusedOverlap }) => excusedOverlap),
    ),
    show(
      "back in ",
      worst(({ recovery }) => recovery),
    ),
  ];
  return facts.filter((fact) => fact !== "").join(", ");
}

function show(what: string, ms: number | undefined): string {
  return ms === undefined ? "" : `${what}${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)}`;
}
