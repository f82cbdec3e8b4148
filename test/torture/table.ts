import type { CellResult } from "./cell.js";
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
    backend: cell.kind.type,
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
  const types = storeKinds.map(({ type }) => type).filter((type) => rows.some(({ backend }) => backend === type));
  const lines = faults.map(({ name }) => {
    const columns = types.map((type) =>
      summary(rows.filter(({ backend, fault }) => backend === type && fault === name)),
    );
    return `| ${name} | ${columns.join(" | ")} |`;
  });
  const run = rows.filter(({ skipped }) => skipped === undefined);
  const seeds = [...new Set(run.map(({ seed }) => seed))].sort((a, b) => a - b);
  const waysOf = (type: string): string =>
    [...new Set(run.filter(({ backend }) => backend === type).map(({ mode }) => mode))].join(", ");
  const sum = (of: (row: Row) => number): number => run.reduce((total, row) => total + of(row), 0);
  return [
    `${date}. ${run.length} cells, seeds ${seeds.join(", ")}, TTL ${[...new Set(run.map(({ ttl }) => ttl))].join(", ")} ms: ${sum(({ runs }) => runs)} runs, ${sum(({ overlaps }) => overlaps)} overlaps, ${sum(({ violations }) => violations)} violations.`,
    `Modes: ${types.map((type) => `${type} ${waysOf(type)}`).join("; ")}. Versions: ${versions.join("; ")}.`,
    "",
    `| fault | ${types.join(" | ")} |`,
    `|---|${types.map(() => "---").join("|")}|`,
    ...lines,
  ].join("\n");
}

function summary(rows: readonly Row[]): string {
  const run = rows.filter(({ skipped }) => skipped === undefined);
  if (run.length === 0) return rows[0]?.skipped?.split(":")[0] ?? "not run";
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
