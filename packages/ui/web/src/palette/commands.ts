import { signal } from "@preact/signals";
import { actOf, ask, type Target } from "../acts/acts.js";
import type { ActName } from "../api/types.js";
import { go, PAGES, to } from "../app/router.js";
import { nextTheme } from "../app/theme.js";
import { zoneChoice } from "../format/zone.js";
import type { IconName } from "../parts/icon.js";

/** An entry of the palette. */
export interface Command {
  readonly label: string;
  readonly icon: IconName;
  readonly hint?: string;
  run(): void;
}

/** The subject of the current page: its actions come first. */
export const subject = signal<{ readonly acts: readonly ActName[]; readonly target: Target } | undefined>(undefined);

/** The commands that do not depend on what is typed. */
export function fixedCommands(): readonly Command[] {
  const { acts, target } = subject.value ?? { acts: [], target: { name: "" } };
  const own = acts.map((name): Command => {
    const { label, icon } = actOf(name, target);
    return { label: `${label}: ${target.name}`, icon, hint: "action", run: () => ask(name, target) };
  });
  const pages = PAGES.map(
    ({ path, label, icon, key }): Command => ({ label, icon, hint: `g ${key}`, run: () => go(path) }),
  );
  const zones = (["local", "utc", "job"] as const).map(
    (zone): Command => ({
      label: `Times in ${zone === "local" ? "my zone" : zone === "utc" ? "UTC" : "the zone of each job"}`,
      icon: "globe",
      run: () => {
        zoneChoice.value = zone;
      },
    }),
  );
  return [...own, ...pages, ...zones, { label: "Change the colours", icon: "auto", run: nextTheme }];
}

/** The pages of a job, and of why it does not run. */
export const jobCommands = (name: string): readonly Command[] => [
  { label: name, icon: "jobs", hint: "job", run: () => go(to.job(name)) },
  { label: `Why does ${name} not run?`, icon: "info", hint: "why", run: () => go(to.why(name)) },
];

/** Whether a label contains all typed characters, in this order. `bkp` finds `backup`. */
export function matches(label: string, typed: string): boolean {
  let at = 0;
  const text = label.toLowerCase();
  for (const letter of typed.toLowerCase().replaceAll(" ", "")) {
    at = text.indexOf(letter, at) + 1;
    if (at === 0) return false;
  }
  return true;
}
