import type { CellResult } from "../run/cell.js";
import type { Task } from "../run/task.js";

/** One line about a cell. */
export function lineOf(result: CellResult): string {
  const { kind, fault, mode, seed, base } = result.cell;
  const cell = nameOf(kind.name, fault.name, mode, base);
  if (result.skipped !== undefined) return `${cell} ${result.skipped}`;
  const { runs, baseRuns, overlaps, worstSignal, excusedOverlap, forcedOverlap, recovery, bound, violations } = result;
  const facts = [
    `seed ${seed}`,
    `${runs} runs${base === undefined ? "" : ` (${baseRuns} by the base version)`}`,
    `${overlaps} overlaps`,
    worstSignal === undefined ? "" : `signalled ${milliseconds(worstSignal)} after the lease`,
    excusedOverlap === 0 ? "" : `the fault let two run for ${milliseconds(excusedOverlap)}`,
    forcedOverlap === 0 ? "" : `unlocked by force: signalled ${milliseconds(forcedOverlap)} after the next began`,
    recovery === undefined
      ? ""
      : `recovered in ${recovery.toFixed(0)} ms${bound ? ` (bound ${bound.toFixed(0)})` : ""}`,
  ].filter((fact) => fact !== "");
  return `${cell} ${violations.length === 0 ? "ok    " : "FAILED"} ${facts.join(", ")}`;
}

/** One line about a cell that the harness could not finish. It says nothing about the locks. */
export function brokenLine({ backend, fault, mode, seed, base }: Task, why: string): string {
  return `${nameOf(backend, fault, mode, base)} BROKEN seed ${seed}, the harness failed: ${why}`;
}

function nameOf(backend: string, fault: string, mode: string, base: string | undefined): string {
  return `${backend.padEnd(12)} ${fault.padEnd(36)} ${mode.padEnd(6)}${base === undefined ? "" : " mixed"}`;
}

function milliseconds(ms: number): string {
  return `${ms.toFixed(1)} ms`;
}

/** The violations of a cell, the timeline around the first one, and the command that repeats the cell. */
export function troubleOf({ cell, violations, timeline }: CellResult): string {
  const { kind, fault, mode, seed, ttl, bug, base } = cell;
  const again = `npm run torture -- --backend ${kind.name} --fault "${fault.name}" --mode ${mode} --seed ${seed} --ttl ${ttl}${base === undefined ? "" : " --mixed"}`;
  const laws = violations.map(({ law, text }) => `  ${law}: ${text}`);
  return [...laws, timeline, `again: ${again}${bug === undefined ? "" : ` --bug "${bug}"`}`].join("\n");
}
