import { blocked } from "./run-of.js";
import type { Evidence, Violation } from "./verdict.js";

/** What a bound may be passed by before it counts as broken, in ms: a machine may stand still where none of our processes notices. */
const ALLOWANCE = 3_000;

/** How long it took until each name was had again, at worst. */
export function recoveryOf({ injected, runs }: Pick<Evidence, "injected" | "runs">): number | undefined {
  if (injected === undefined) return undefined;
  const { since, names } = injected;
  const times = names.map((name) => {
    const next = runs.find((run) => run.name === name && run.enter > since && !isHeld(run.member.all("enter"), run.id));
    return next === undefined ? undefined : next.enter - since;
  });
  const known = times.filter((time): time is number => time !== undefined);
  return known.length === names.length ? Math.max(...known) : undefined;
}

function isHeld(enters: readonly { readonly id: string; readonly held: boolean }[], id: string): boolean {
  return enters.some((enter) => enter.id === id && enter.held);
}

export function judgeRecovery(evidence: Evidence): Violation[] {
  const { injected, scene } = evidence;
  const recovery = recoveryOf(evidence);
  if (injected === undefined) return [];
  const { since, bound = Infinity } = injected;
  if (recovery === undefined) return [{ law: "recovers in time", text: "a name was never had again", t: since }];
  const lags = scene.members.map((member) => blocked(member, since, since + recovery));
  // A worker that the fault itself blocks keeps nobody else from it.
  const lag = Math.min(...lags);
  if (recovery - lag <= bound + ALLOWANCE) return [];
  const text = `it took ${recovery.toFixed(0)} ms until the lock was had again, and may take ${bound}`;
  return [{ law: "recovers in time", text, t: since }];
}

/** Nothing is left in the store, nobody waits for ever, no process stays. */
export function judgeRest({ scene, stock }: Evidence): Violation[] {
  const violations: Violation[] = [];
  for (const left of stock?.left ?? []) violations.push({ law: "nothing left", text: left });
  for (const member of scene.members) {
    for (const { text, t } of member.all("error")) violations.push({ law: "no error", text, t });
    if (member.killedAt !== undefined) continue;
    const settled = new Set(member.all("settled").map(({ id }) => id));
    for (const { id, name, t } of member.all("asked")) {
      if (settled.has(id)) continue;
      violations.push({ law: "all settle", text: `run ${id} of ${name} was asked for and never settled`, t });
    }
  }
  return violations;
}
