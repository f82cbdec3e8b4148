import type { Shortcut } from "../../load/job-file.js";
import type { Step } from "../planned.js";

/** The shortcuts among these steps, and those in their lists. */
export function shortcutsIn(steps: readonly Step[]): Shortcut[] {
  return steps.flatMap((step) => {
    if (!("shortcut" in step)) return [];
    return [step.shortcut, ...Object.values(step.shortcut.lists).flatMap(shortcutsIn)];
  });
}

/** The jobs among these steps, and those that their shortcuts may run. A name may hold a template. */
export function jobsNamedIn(steps: readonly Step[]): string[] {
  const lists = shortcutsIn(steps).flatMap(({ lists }) => Object.values(lists).flat());
  return [...steps, ...lists].flatMap((step) => ("job" in step ? [step.job] : []));
}
