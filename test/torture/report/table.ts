import base from "../base.json" with { type: "json" };
import { faultsOfAny } from "../faults/index.js";
import type { CellResult } from "../run/cell.js";
import type { Task } from "../run/task.js";
import { type Mode, modes } from "../scene/events.js";
import { storeKinds } from "../stores/index.js";
import type { Finding, Row } from "./finding.js";

/** The commit of the base version, as tables show it. */
const BASE = base.commit.slice(0, 8);

export function rowOf(result: CellResult): Finding {
  const { cell, skipped, runs, overlaps, violations, worstSignal, excusedOverlap, forcedOverlap, recovery } = result;
  return {
    backend: cell.kind.name,
    fault: cell.fault.name,
    mode: cell.mode,
    seed: cell.seed,
    ttl: cell.ttl,
    ...(cell.base !== undefined && { base: BASE }),
    ...(skipped !== undefined && { skipped }),
    runs,
    overlaps,
    violations: violations.length,
    ...(violations.length > 0 && { laws: [...new Set(violations.map(({ law }) => law))] }),
    ...(worstSignal !== undefined && { worstSignal }),
    excusedOverlap,
    forcedOverlap,
    ...(recovery !== undefined && { recovery }),
  };
}

/** The row of a cell that the harness could not finish. */
export function brokenRow({ backend, fault, mode, seed, ttl, base }: Task, broken: string): Finding {
  const nothing = { runs: 0, overlaps: 0, violations: 0, excusedOverlap: 0, forcedOverlap: 0 };
  return { backend, fault, mode, seed, ttl, ...(base !== undefined && { base: BASE }), broken, ...nothing };
}

/** The commit of a result, with its base version. */
const versionOf = ({ commit, base }: Row): string => (base === undefined ? commit : `${commit} with ${base}`);

/**
 * The matrix as Markdown: one line for each fault, one column for each store. Throws if the results of a
 * store are of several commits.
 */
export function tableOf(all: readonly Row[], versions: readonly string[]): string {
  const kinds = storeKinds.filter(({ name }) => all.some(({ backend }) => backend === name));
  const faults = faultsOfAny(kinds);
  const rows = all.filter(({ fault }) => faults.some(({ name }) => name === fault));
  const commits = [...new Set(rows.map(versionOf))];
  const types = kinds.map(({ name }) => name);
  for (const type of types) {
    const own = new Set(rows.filter(({ backend }) => backend === type).map(versionOf));
    if (own.size > 1) {
      const text = `the results on ${type} are of several commits, which make no column`;
      throw new Error(`${text}: ${[...own].join(", ")}. Choose by --commit`);
    }
  }
  const lines = faults.map(({ name }) => {
    const columns = types.map((type) =>
      summary(rows.filter(({ backend, fault }) => backend === type && fault === name)),
    );
    return `| ${name} | ${columns.join(" | ")} |`;
  });
  return [
    ...commits.flatMap((commit) =>
      factsOf(
        rows.filter((row) => versionOf(row) === commit),
        commits.length > 1,
      ),
    ),
    `Modes: ${modesOf(rows, types)}. Versions: ${versions.join("; ")}.`,
    "",
    `| fault | ${types.join(" | ")} |`,
    `|---|${types.map(() => "---").join("|")}|`,
    ...lines,
    "",
    ...forceOf(rows),
    ...legendOf(rows),
  ].join("\n");
}

/** The rows that were judged. */
function judged(rows: readonly Row[]): Row[] {
  return rows.filter(({ skipped, broken }) => skipped === undefined && broken === undefined);
}

/** How many cells of one commit ran, and what they found. `names`: whether to name their stores. */
function factsOf(rows: readonly Row[], names: boolean): string[] {
  const dates = [...new Set(rows.map(({ date }) => date))].sort().join(", ");
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
  const base = rows[0]?.base === undefined ? "" : ` and the base version ${rows[0].base}`;
  const stores = names ? ` on ${[...new Set(run.map(({ backend }) => backend))].join(", ")}` : "";
  return [
    `${dates}, commit ${rows[0]?.commit}${base}${stores}. ${run.length} cells: ${times.size} places of the matrix in ${rounds} ${rounds === "1" ? "round" : "rounds"}, seeds ${ranges(run.map(({ seed }) => seed))}, TTL ${ttls} ms. ${sum(({ runs }) => runs)} runs, ${sum(({ overlaps }) => overlaps)} overlaps, ${sum(({ violations }) => violations)} violations.`,
    ...(broken === 0 ? [] : [`${broken} more cells were broken off by the harness itself, and not judged.`]),
  ];
}

/** The longest overlap after forced unlocks, whatever the fault of the cell. */
function forceOf(rows: readonly Row[]): string[] {
  const most = Math.max(0, ...judged(rows).map(({ forcedOverlap }) => forcedOverlap));
  if (most === 0) return [];
  return [`After forced unlocks, which the table leaves out, two ran for at most ${most.toFixed(0)} ms.`, ""];
}

/** Why places of the table are empty. */
function legendOf(rows: readonly Row[]): string[] {
  const places = new Map<string, Map<string, string[]>>();
  for (const { backend, fault, skipped } of rows) {
    if (skipped === undefined) continue;
    const byFault = places.get(skipped) ?? new Map<string, string[]>();
    places.set(skipped, byFault);
    byFault.set(fault, [...new Set([...(byFault.get(fault) ?? []), backend])]);
  }
  return [...places].map(([why, byFault]) => {
    const byStores = new Map<string, string[]>();
    for (const [fault, stores] of byFault) {
      const on = stores.join(", ");
      byStores.set(on, [...(byStores.get(on) ?? []), fault]);
    }
    const where = [...byStores].map(([on, which]) => `${which.join(", ")} on ${on}`).join("; ");
    return `- ${why}: ${where}.`;
  });
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
      "signal +",
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
